import type { FoundRows } from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import { exportRowsStep } from './export.ts';
import type { Ports } from './ports.ts';
import {
  type Asked,
  flushAuthorizers,
  homeBefore,
  type Piece,
  placementBefore,
  type Position,
  type Step,
  type Subject,
  tenantBefore,
  unlessGone,
} from './step.ts';

/** Rows that a call erases at most, well within the time that a statement has. */
const batchRows = 2_000;

const modelOf = (asked: Asked<'offboard'>) => tenantBefore(asked).placement.model;

/** Whether the tenant is whole: what an earlier operation has begun to erase is no tenant any more, and was exported before. */
const isWhole = (asked: Asked<'offboard'>): boolean => tenantBefore(asked).state !== 'offboarding';

/** Whether there still is a place where the tenant lives: one that is its alone may be dropped by now. */
const hasHome = (asked: Asked<'offboard'>): boolean => isWhole(asked) || modelOf(asked) === 'pool';

const leftIn = (found: readonly Pick<FoundRows, 'relation' | 'rows'>[]): string[] =>
  found.flatMap(({ relation, rows }) => {
    if (rows === 0) return [];
    return [rows === null ? `${relation}, which cannot be read` : `${rows} rows of ${relation}`];
  });

async function eraseRows(
  subject: Subject<'offboard'>,
  { registry, rows }: Ports,
  piece: Piece,
): Promise<Position | undefined> {
  const { operationId } = subject;
  const { rows: counted, erasedRows: before = 0 } = (await registry.read(operationId))?.counts ?? {};
  let erased = before;
  const report = (erasedRows: number): Promise<void> =>
    registry.report(operationId, 'erase-rows', {
      share: Math.min(1, erasedRows / Math.max(1, counted ?? Infinity)),
      counts: { erasedRows },
    });
  for (;;) {
    const gone = await rows.erase(homeBefore(subject), batchRows);
    if (gone === 0) break;
    await report((erased += gone));
    if (piece.isOver()) return {};
  }
  // Some may have been erased by an execution that was interrupted.
  await report(counted ?? erased);
  return undefined;
}

/** What is left of the tenant where it lived. A database that is its alone is not to be there at all. */
async function findInHome(
  subject: Subject<'offboard'>,
  { rows }: Ports,
): Promise<{ readonly left: readonly string[]; readonly absent: string | undefined }> {
  const home = homeBefore(subject);
  let left: string[] = [];
  const absent = await unlessGone(async () => {
    const found = await rows.find(home);
    // The registry is looked through last; turns stay, so that nothing that comes late reaches a tenant that comes again.
    left = leftIn(found.filter(({ schema, relation }) => schema !== 'registry' && relation !== 'tenancy.turns'));
    if (modelOf(subject) === 'silo') left.push(`the database ${home.placement.database}`);
  });
  return { left, absent };
}

/**
 * Ends a tenant: serves it no more, exports its rows, erases all that there is of it, and proves that. Until anything is erased it can be
 * undone; from then on it only goes forward. One that failed there is gone on with by another operation of this kind. Where the database
 * is gone before, the rest goes, and the proof says so; only an export cannot be had any more.
 */
export const offboard: readonly Step<'offboard'>[] = [
  {
    // Waits for writes in flight; from then on the database refuses the tenant's statements, reads as well.
    name: 'close-placement',
    isWanted: hasHome,
    run: async (subject, { homes, registry }) => {
      const homeWasGone = await unlessGone(() => homes.place(homeBefore(subject), 'suspended'));
      if (homeWasGone !== undefined)
        await registry.report(subject.operationId, 'close-placement', { share: 1, result: { homeWasGone } });
    },
    undo: (subject, { homes }) => homes.place(homeBefore(subject), placementBefore(subject)),
  },
  {
    name: 'stop-serving',
    run: (subject, { registry }) => registry.setState(subject, 'offboarding'),
    undo: async (subject, { registry, gateway }) => {
      await registry.setState(subject, tenantBefore(subject).state);
      // Authorizers may have said since what is not true any more.
      await gateway.flushAuthorizersCache();
    },
  },
  flushAuthorizers,
  {
    ...exportRowsStep,
    isWanted: (subject) => subject.input.export && isWhole(subject),
  },
  {
    name: 'count-rows',
    isWanted: hasHome,
    run: async (subject, { registry, rows }) => {
      await unlessGone(async () => {
        const counted = await rows.count(homeBefore(subject));
        const counts = counted === undefined ? {} : { rows: counted };
        await registry.report(subject.operationId, 'count-rows', { share: 1, counts });
      });
    },
  },
  {
    name: 'erase-rows',
    // What is a tenant's alone is dropped as a whole instead.
    isWanted: (subject) => modelOf(subject) === 'pool',
    isFinal: true,
    run: async (subject, ports, piece) => {
      let rest: Position | undefined;
      await unlessGone(async () => {
        rest = await eraseRows(subject, ports, piece);
      });
      return rest;
    },
  },
  {
    name: 'drop-home',
    isWanted: (subject) => modelOf(subject) !== 'pool',
    isFinal: true,
    run: async (subject, { databases, homes, registry }) => {
      const home = homeBefore(subject);
      if (modelOf(subject) === 'silo') await databases.drop(home);
      else
        await unlessGone(async () => {
          await homes.displace(home);
          await homes.drop(home);
        });
      const { rows: erasedRows = 0 } = (await registry.read(subject.operationId))?.counts ?? {};
      await registry.report(subject.operationId, 'drop-home', { share: 1, counts: { erasedRows } });
    },
  },
  {
    name: 'remove-api-key',
    run: async (subject, { apiKeys, registry }) => {
      await apiKeys.remove(subject.tenantId);
      await registry.setApiKey(subject, null);
    },
  },
  {
    name: 'purge-cache',
    run: ({ tenantId }, { cache }) => cache.purge(tenantId),
  },
  {
    name: 'remove-placement',
    isWanted: (subject) => modelOf(subject) === 'pool',
    run: async (subject, { homes }) => void (await unlessGone(() => homes.displace(homeBefore(subject)))),
  },
  {
    name: 'prove',
    run: async (subject, ports) => {
      const { apiKeys, cache, registry, secrets } = ports;
      const { tenantId, operationId } = subject;
      const apiKeyIds = await apiKeys.find(tenantId);
      const secretNames = await secrets.find(tenantId);
      // An event of what was before may have got there since.
      await cache.purge(tenantId);
      const cacheKeys = await cache.count(tenantId);
      const { left: leftAtHome, absent } = await findInHome(subject, ports);
      const left = [
        ...apiKeyIds.map((id) => `the API key ${id}`),
        ...secretNames.map((name) => `the secret ${name}`),
        ...(cacheKeys > 0 ? [`${cacheKeys} keys in the cache`] : []),
        ...leftAtHome,
      ];
      if (left.length === 0) {
        const home = homeBefore(subject).placement;
        const { homeWasGone } = (await registry.read(operationId))?.result ?? {};
        // What is undefined is left out.
        const proof = { home, absent, homeWasGone, apiKeys: 0, secrets: 0, cacheKeys: 0 };
        left.push(...leftIn(await registry.unregister(subject, proof)));
      }
      if (left.length > 0)
        throw new AppError('erasure-incomplete', `Of the tenant ${tenantId} there is left: ${left.join(', ')}.`);
    },
  },
];
