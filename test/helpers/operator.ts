import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject } from 'vitest';
import { signToken } from '../../local/issuer/sign-token.ts';
import { operatorRole } from '../../shared/contract/index.ts';
import { type Operation, operationSchema } from '../../shared/control/index.ts';
import { type Answer, send, type Sent } from './api-client.ts';
import { readStackFile } from './stack.ts';

/** Somebody who asks the control plane of the local stack. */
export interface Operator {
  ask(method: string, path: string, sent?: Sent): Promise<Answer>;
  /** Asks for an operation and waits for its end. */
  operate(path: string, body?: object): Promise<Operation>;
  untilEnded(operationId: string): Promise<Operation>;
}

/** @param dataDir of the stack @default that of this run */
export async function operatorOf(user: string, dataDir = inject('stack').dataDir): Promise<Operator> {
  const to = (await readStackFile(dataDir)).controlPlaneUrl;
  const token = await signToken(dataDir, { user, roles: [operatorRole] });
  const operator: Operator = {
    ask: (method, path, sent = {}) => send(method, path, { to, token, ...sent }),
    operate: async (path, body) => {
      const answer = await operator.ask('POST', path, { body });
      expect(answer.status, answer.text).toBe(202);
      return operator.untilEnded(operationSchema.parse(answer.json).id);
    },
    untilEnded: async (operationId) => {
      const giveUp = Date.now() + 30_000;
      for (;;) {
        const { json } = await operator.ask('GET', `/operations/${operationId}`);
        const operation = operationSchema.parse(json);
        if (operation.endedAt !== null) return operation;
        if (Date.now() > giveUp) throw new Error(`The operation has not ended: ${JSON.stringify(operation)}`);
        await sleep(50);
      }
    },
  };
  return operator;
}
