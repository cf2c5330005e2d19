import { AppError } from '../../shared/errors/index.ts';
import { exportRowsStep } from './export.ts';
import { flushAuthorizers, placementBefore, type Step, type Subject, tenantBefore } from './step.ts';

/** Rows that a call erases at most, well within the time that a statement has. */
const batchRows = 2_000;

const homeOf = (subject: Subject<'offboard'>) => ({
  tenantId: subject.tenantId,
  placement: tenantBefore(subject).placement,
});

/**
 * Ends a tenant: serves it no more, exports its rows, erases all that there is of it, and proves that. Until rows are erased it can be
 * undone; from then on it only goes forward. One that failed there is gone on with by another operation of this kind.
 */
export const offboard: readonly Step<'offboard'>[] = [
  {
    // Waits for writes in flight; from then on the database refuses the tenant's statements, reads as well.
    name: 'close-placement',
    run: ({ tenantId }, { placements }) => placements.place(tenantId, 'suspended'),
    undo: (subject, { placements }) => placements.place(subject.tenantId, placementBefore(subject)),
  },
  {
    name: 'stop-serving',
    run: ({ tenantId }, { registry }) => registry.setState(tenantId, 'offboarding'),
    undo: async (subject, { registry, gateway }) => {
      await registry.setState(subject.tenantId, tenantBefore(subject).state);
      // Authorizers may have said since what is not true any more.
      await gateway.flushAuthorizersCache();
    },
  },
  flushAuthorizers,
  {
    ...exportRowsStep,
    // What an earlier operation has begun to erase is no tenant any more; it has exported it before.
    isWanted: (subject) => subject.input.export && tenantBefore(subject).state !== 'offboarding',
  },
  {
    name: 'count-rows',
    run: async (subject, { registry, rows }) => {
      const counts = { rows: await rows.count(homeOf(subject)) };
      await registry.report(subject.operationId, 'count-rows', { share: 1, counts });
    },
  },
  {
    name: 'erase-rows',
    isFinal: true,
    run: async (subject, { registry, rows }) => {
      const { operationId } = subject;
      const counted = (await registry.read(operationId))?.counts['rows'] ?? 0;
      let left = await rows.count(homeOf(subject));
      const report = (erasedRows: number): Promise<void> =>
        registry.report(operationId, 'erase-rows', {
          share: erasedRows / Math.max(1, counted),
          counts: { erasedRows },
        });
      for (;;) {
        const gone = await rows.erase(homeOf(subject), batchRows);
        if (gone === 0) break;
        await report(counted - (left -= gone));
      }
      // Some may have been erased by an execution that was interrupted.
      await report(counted);
    },
  },
  {
    name: 'remove-api-key',
    run: async ({ tenantId }, { apiKeys, registry }) => {
      await apiKeys.remove(tenantId);
      await registry.setApiKey(tenantId, null);
    },
  },
  {
    name: 'purge-cache',
    run: ({ tenantId }, { cache }) => cache.purge(tenantId),
  },
  {
    name: 'remove-placement',
    run: ({ tenantId }, { placements }) => placements.remove(tenantId),
  },
  {
    name: 'prove',
    run: async ({ tenantId, operationId }, { apiKeys, cache, registry, secrets }) => {
      const apiKeyIds = await apiKeys.find(tenantId);
      const secretNames = await secrets.find(tenantId);
      const cacheKeys = await cache.count(tenantId);
      const left = [
        ...apiKeyIds.map((id) => `the API key ${id}`),
        ...secretNames.map((name) => `the secret ${name}`),
        ...(cacheKeys > 0 ? [`${cacheKeys} keys in the cache`] : []),
      ];
      if (left.length === 0) {
        const found = await registry.unregister(operationId, { apiKeys: 0, secrets: 0, cacheKeys: 0 });
        left.push(
          ...found.map(({ relation, rows }) =>
            rows === null ? `${relation}, which cannot be read` : `${rows} rows of ${relation}`,
          ),
        );
      }
      if (left.length > 0)
        throw new AppError('erasure-incomplete', `Of the tenant ${tenantId} there is left: ${left.join(', ')}.`);
    },
  },
];
