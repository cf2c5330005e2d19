import { afterAll, beforeAll, expect, it } from 'vitest';
import { abandonOperation, claimEvents, endOperation, startOperation } from '../../shared/control/index.ts';
import { createOperation } from '../../shared/control/operations.ts';
import { operationEvents } from '../../shared/control/operations-events.ts';
import { type KnownKind, operationInputs } from '../../shared/control/operations-schema.ts';
import { startControlRegistry } from '../helpers/control-registry.ts';
import { documentedEvents } from '../helpers/documented-events.ts';
import type { TestTenantDatabase } from '../helpers/tenant-database.ts';

const documented = documentedEvents();
const kinds = (Object.keys(operationInputs) as KnownKind[]).filter((kind) => operationEvents[kind] !== undefined);
const endings = ['Success', 'Failure'] as const;
const tenantOf = (kind: KnownKind, ending: string): string => `${kind}-${ending.toLowerCase()}`;

let database: TestTenantDatabase;
beforeAll(async () => {
  const known = kinds.filter((kind) => kind !== 'onboard');
  database = await startControlRegistry(known.flatMap((kind) => endings.map((ending) => tenantOf(kind, ending))));
});
afterAll(() => database[Symbol.asyncDispose]());

it.each(kinds.flatMap((kind) => endings.map((ending) => [kind, ending] as const)))(
  'events of an operation %s that ends with %s have what docs/events.md shows',
  async (kind, ending) => {
    const events = operationEvents[kind];
    const tenantId = tenantOf(kind, ending);
    const example = { ...documented.get(events?.request ?? '') };
    for (const key of ['id', 'tenantId', 'operationId', 'sequence', 'at']) Reflect.deleteProperty(example, key);
    const input = operationInputs[kind].parse(example) as never;
    const { id } = await createOperation({ kind, tenantId, input, actor: 'olga' });
    await startOperation(id, ['serve']);
    if (ending === 'Failure') await abandonOperation(id, { code: 'conflict', message: 'No.', remedy: 'None.' });
    await endOperation(id, kind);
    const { events: written } = await claimEvents(crypto.randomUUID(), { leaseSeconds: 90, tenants: 20, events: 10 });
    const types = [events?.request, ending === 'Success' ? events?.success : events?.failure];
    expect(written.map(({ detailType }) => detailType)).toEqual(types);
    for (const { detailType, detail } of written) {
      const shown = Object.keys(documented.get(detailType) ?? {});
      expect(Object.keys(detail).sort(), detailType).toEqual(shown.sort());
    }
  },
);
