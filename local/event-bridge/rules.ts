import * as z from 'zod';
import { type Deployment, readAll, type ResourceShape } from '../template/deployment.ts';
import type { TakenEvent } from './server.ts';

/** Which events of a bus which functions get. */
export interface EventRule {
  readonly eventBusName: string;
  /** Any if it is undefined. */
  readonly sources: readonly string[] | undefined;
  /** Any if it is undefined. */
  readonly detailTypes: readonly string[] | undefined;
  readonly functionArns: readonly string[];
}

const texts = z.array(z.string()).min(1).optional();

const ruleShape = {
  type: 'AWS::Events::Rule',
  schema: z.strictObject({
    EventBusName: z.string().default('default'),
    EventPattern: z
      .strictObject({ source: texts, 'detail-type': texts })
      .refine((pattern) => Object.keys(pattern).length > 0, 'an empty pattern matches nothing'),
    State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
    Targets: z
      .array(
        z.strictObject({
          Id: z.string(),
          Arn: z.string().regex(/^arn:aws:lambda:/, 'rules invoke functions only'),
          // Of handing over to Lambda, which never fails here.
          RetryPolicy: z.unknown().optional(),
        }),
      )
      .default([]),
  }),
  ignored: ['Description', 'Name', 'Tags'],
} satisfies ResourceShape<z.ZodType>;

/** @throws TemplateError for a pattern of anything but lists of sources and detail types, and a target that is no function */
export function readRules(deployment: Deployment): EventRule[] {
  return readAll(deployment, ruleShape)
    .filter(({ properties }) => properties.State === 'ENABLED')
    .map(({ properties: { EventBusName, EventPattern, Targets } }) => ({
      eventBusName: nameOfBus(EventBusName),
      sources: EventPattern.source,
      detailTypes: EventPattern['detail-type'],
      functionArns: Targets.map(({ Arn }) => Arn),
    }));
}

/** Functions that get an event, each as often as rules name it. */
export function targetsOf({ eventBusName, event }: TakenEvent, rules: readonly EventRule[]): string[] {
  const has = (list: readonly string[] | undefined, text: string): boolean => list?.includes(text) ?? true;
  return rules
    .filter((rule) => rule.eventBusName === nameOfBus(eventBusName))
    .filter(({ sources, detailTypes }) => has(sources, event.source) && has(detailTypes, event['detail-type']))
    .flatMap(({ functionArns }) => functionArns);
}

/** Buses go by name or by ARN. */
const nameOfBus = (reference: string): string => reference.replace(/^arn:aws:events:.*:event-bus\//, '');
