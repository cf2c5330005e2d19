import { randomBytes } from 'node:crypto';
import {
  type APIGatewayClient,
  ConflictException,
  CreateApiKeyCommand,
  CreateUsagePlanKeyCommand,
  DeleteApiKeyCommand,
  DeleteUsagePlanKeyCommand,
  GetApiKeyCommand,
  GetApiKeysCommand,
  GetUsagePlansCommand,
  NotFoundException,
} from '@aws-sdk/client-api-gateway';
import { pacer, type Turn, untilTaken } from './throttled-calls.ts';

export interface NamedKey {
  readonly id: string;
  readonly value: string;
  /** Milliseconds since the epoch, in whole seconds. */
  readonly createdAt: number;
}

/** Calls a second. */
export interface CallRates {
  readonly create: number;
  readonly delete: number;
  readonly all: number;
}

/**
 * API Gateway takes 5 CreateApiKey, 5 DeleteApiKey and 10 calls in all a second for a whole account, from which deployments and other
 * processes live too.
 */
export const defaultRates: CallRates = { create: 4, delete: 4, all: 8 };

/** Most that API Gateway answers in a page. */
const pageSize = 500;

/** The calls about API keys, each harmless when it is made again. All that go through one object are paced together. */
export function apiKeyCalls(client: APIGatewayClient, rates: CallRates) {
  const turn = pacer(rates.all);
  const [createTurn, deleteTurn] = [pacer(rates.create, turn), pacer(rates.delete, turn)];
  const paced = <T>(call: () => Promise<T>, itsTurn: Turn = turn): Promise<T> =>
    untilTaken(async () => {
      await itsTurn();
      return call();
    });

  return {
    /** The keys of exactly this name, the oldest first. The order is total: everybody who sees the same keys has the same first one. */
    async named(name: string): Promise<NamedKey[]> {
      const found: NamedKey[] = [];
      let position: string | undefined;
      do {
        const query = { nameQuery: name, includeValues: true, limit: pageSize, position };
        const page = await paced(() => client.send(new GetApiKeysCommand(query)));
        // A query for a name may answer longer names as well.
        for (const { name: itsName, id = '', value = '', createdDate } of page.items ?? [])
          if (itsName === name) found.push({ id, value, createdAt: createdDate?.getTime() ?? 0 });
        position = page.position;
      } while (position !== undefined);
      return found.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
    },

    /** Whether there is such a key, as nobody says of a list, which may be behind. */
    async exists(id: string): Promise<boolean> {
      const asked = paced(() => client.send(new GetApiKeyCommand({ apiKey: id })));
      return (await unless(NotFoundException, asked)) === undefined;
    },

    /** Makes a key with a random value of 160 bits. */
    async create(name: string): Promise<void> {
      const value = randomBytes(20).toString('hex');
      const made = (): Promise<unknown> => client.send(new CreateApiKeyCommand({ name, value, enabled: true }));
      // Nobody else has this value: it was taken at an attempt whose answer was lost, which the SDK then repeated.
      await unless(ConflictException, paced(made, createTurn));
    },

    async delete(id: string): Promise<void> {
      await unless(
        NotFoundException,
        paced(() => client.send(new DeleteApiKeyCommand({ apiKey: id })), deleteTurn),
      );
    },

    /** @throws Error if the key is in another usage plan of the same stage, where API Gateway allows one only */
    async attach(id: string, usagePlanId: string): Promise<void> {
      const key = { usagePlanId, keyId: id, keyType: 'API_KEY' };
      const refused = await unless(
        ConflictException,
        paced(() => client.send(new CreateUsagePlanKeyCommand(key))),
      );
      if (!refused) return;
      const { items = [] } = await paced(() => client.send(new GetUsagePlansCommand({ keyId: id, limit: pageSize })));
      if (items.some((plan) => plan.id === usagePlanId)) return;
      const others = items.map((plan) => plan.name).join(', ');
      throw new Error(`API key ${id} is in ${others || 'no plan'}, not in usage plan ${usagePlanId}: move it first.`, {
        cause: refused,
      });
    },

    async detach(id: string, usagePlanId: string): Promise<void> {
      const command = new DeleteUsagePlanKeyCommand({ usagePlanId, keyId: id });
      await unless(
        NotFoundException,
        paced(() => client.send(command)),
      );
    },
  };
}

/** Waits for a call; an error of the class is what it resolves to, everything else is thrown. */
async function unless<E extends Error>(
  expected: abstract new (...parameters: never[]) => E,
  call: Promise<unknown>,
): Promise<E | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof expected) return error;
    throw error;
  }
}
