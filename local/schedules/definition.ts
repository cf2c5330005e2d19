import * as z from 'zod';
import { type Deployment, readAll, type ResourceShape } from '../template/deployment.ts';
import { describe, TemplateError } from '../template/stack.ts';

/** A function that is invoked again and again. */
export interface ScheduleDefinition {
  readonly functionArn: string;
  readonly everyMs: number;
  readonly event: unknown;
}

const scheduleShape = {
  type: 'AWS::Scheduler::Schedule',
  schema: z.strictObject({
    ScheduleExpression: z.string(),
    State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
    FlexibleTimeWindow: z.strictObject({ Mode: z.literal('OFF') }),
    Target: z.strictObject({
      Arn: z.string().regex(/^arn:aws:lambda:/, 'schedules invoke functions only'),
      Input: z.string().default('{}'),
      RoleArn: z.unknown(),
      RetryPolicy: z.unknown().optional(),
    }),
  }),
  ignored: ['Description', 'GroupName', 'KmsKeyArn', 'Name', 'ScheduleExpressionTimezone'],
} satisfies ResourceShape<z.ZodType>;

const unitsMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** @throws TemplateError for a schedule that is no rate, and for a rule with a schedule, which is another way to say the same */
export function readSchedules(deployment: Deployment): ScheduleDefinition[] {
  const rule = deployment.resources.find(
    ({ type, properties }) => type === 'AWS::Events::Rule' && 'ScheduleExpression' in properties,
  );
  if (rule) throw new TemplateError(`${describe(rule)}: use AWS::Scheduler::Schedule for what runs at a rate.`);
  return readAll(deployment, scheduleShape)
    .filter(({ properties }) => properties.State === 'ENABLED')
    .map(({ resource, properties: { ScheduleExpression: expression, Target } }) => {
      const [, number, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
      const unitMs = unitsMs[unit];
      if (unitMs === undefined) {
        throw new TemplateError(`${describe(resource)}: ${expression} is no rate(…), which is all that runs here.`);
      }
      return { functionArn: Target.Arn, everyMs: Number(number) * unitMs, event: JSON.parse(Target.Input) as unknown };
    });
}
