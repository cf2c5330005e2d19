import type { PlanName } from '../../shared/contract/index.ts';
import type { Ports } from './ports.ts';
import { flushAuthorizers, type Piece, type Position, type Step, type Subject, tenantBefore } from './step.ts';

/**
 * Moves the tenant's API key to another usage plan; its requests are limited and counted there from then on. Where tenants of one of the
 * plans share a key, it is another key: the one before stays until no authorizer answers it any more.
 */
export const changePlan: readonly Step<'change-plan'>[] = [
  {
    name: 'move-api-key',
    awaitsAnswers: true,
    run: (subject, ports) => moveKey(subject, ports, tenantBefore(subject).plan, subject.input.plan),
    undo: async (subject, ports, piece) => {
      const { plan } = tenantBefore(subject);
      if (piece.from === undefined) {
        await moveKey(subject, ports, subject.input.plan, plan);
        // It may be another key than authorizers have answered since, or before.
        await ports.gateway.flushAuthorizersCache();
      }
      return removeSpareKey(subject, ports, piece, plan);
    },
  },
  {
    name: 'set-plan',
    run: (subject, { registry }) => registry.setPlan(subject, subject.input.plan),
    undo: async (subject, { registry, gateway }) => {
      await registry.setPlan(subject, tenantBefore(subject).plan);
      // Authorizers may have said since what is not true any more.
      await gateway.flushAuthorizersCache();
    },
  },
  flushAuthorizers,
  {
    name: 'remove-spare-key',
    awaitsAnswers: true,
    run: (subject, ports, piece) => removeSpareKey(subject, ports, piece, subject.input.plan),
  },
];

/** The registry is told, since it is another key where tenants of a plan share one. */
async function moveKey(
  subject: Subject<'change-plan'>,
  { apiKeys, registry }: Ports,
  from: PlanName,
  to: PlanName,
): Promise<void> {
  await registry.setApiKey(subject, await apiKeys.move(subject.tenantId, from, to));
}

/**
 * Deletes the key by which the tenant does not go any more. An authorizer that was at work as its stage was told to forget may have
 * answered it since: so that comes first once more, when all of these have answered.
 */
async function removeSpareKey(
  { tenantId }: Subject<'change-plan'>,
  { apiKeys, gateway }: Ports,
  { from }: Piece,
  plan: PlanName,
): Promise<Position | undefined> {
  if (from === undefined) {
    const spare = await apiKeys.findSpare(tenantId, plan);
    return spare.length > 0 ? { spareKeys: spare.length } : undefined;
  }
  await gateway.flushAuthorizersCache();
  await apiKeys.removeSpare(tenantId, plan);
  return undefined;
}
