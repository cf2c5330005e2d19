import { ListRulesCommand, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { describe, expect, test } from 'vitest';
import type { TakenEvent } from '../../local/event-bridge/server.ts';
import { startTestEventBridge } from '../helpers/event-bridge.ts';

const valid = { Source: 'test', DetailType: 'happened', Detail: '{"n":1}' };
const put = (...entries: PutEventsRequestEntry[]) => new PutEventsCommand({ Entries: entries });

describe('PutEvents', () => {
  test('keeps events as a target gets them, in the order of the request', async () => {
    await using bus = await startTestEventBridge();
    const at = new Date('2026-11-01T10:00:00.500Z');
    const answer = await bus.client.send(
      put({ ...valid, Time: at, Resources: ['r'], EventBusName: 'mine' }, { ...valid, Detail: '{"n":2}' }),
    );
    expect(answer).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }, {}] });
    expect(bus.events()[0]).toEqual({
      eventBusName: 'mine',
      event: {
        version: '0',
        id: answer.Entries?.[0]?.EventId,
        'detail-type': 'happened',
        source: 'test',
        account: '000000000000',
        time: '2026-11-01T10:00:00Z',
        region: 'eu-central-1',
        resources: ['r'],
        detail: { n: 1 },
      },
    });
    expect(bus.events()[1]).toMatchObject({ eventBusName: 'default', event: { detail: { n: 2 } } });
  });

  test.for([
    [
      { ...valid, Source: undefined },
      'InvalidArgument',
      'Parameter Source is not valid. Reason: Source is a required argument.',
    ],
    [{ ...valid, DetailType: '' }, 'InvalidArgument', /^Parameter DetailType is not valid/],
    [{ ...valid, DetailType: 'x'.repeat(129) }, 'InvalidArgument', /^Parameter DetailType is not valid/],
    [{ ...valid, Detail: undefined }, 'InvalidArgument', /^Parameter Detail is not valid/],
    [{ ...valid, Detail: '{' }, 'MalformedDetail', 'Detail is malformed.'],
    [{ ...valid, Detail: '[1]' }, 'MalformedDetail', 'Detail is malformed.'],
    [{ ...valid, Source: 'aws.ec2' }, 'NotAuthorizedForSourceException', 'Not authorized for the source.'],
  ] as const)('takes the others when an entry is not valid: %#', async ([entry, code, message]) => {
    await using bus = await startTestEventBridge();
    const answer = await bus.client.send(put(valid, entry, valid));
    expect(answer.FailedEntryCount).toBe(1);
    expect(answer.Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([undefined, code, undefined]);
    expect(answer.Entries?.[1]?.ErrorMessage).toMatch(message);
    expect(bus.events()).toHaveLength(2);
  });

  test('takes 1 to 10 entries of less than 1 MB together, and else none of them', async () => {
    await using bus = await startTestEventBridge();
    const half = (more: number) => ({ ...valid, Detail: JSON.stringify({ text: 'ü'.repeat(262_144 - 20 + more) }) });
    for (const [entries, message] of [
      [[], 'length greater than or equal to 1'],
      [Array.from({ length: 11 }, () => valid), 'length less than or equal to 10'],
      [[half(10), half(10)], 'Total size of the entries in the request is over the limit.'],
    ] as const) {
      const refused = bus.client.send(put(...entries));
      await expect(refused).rejects.toMatchObject({
        name: 'ValidationException',
        message: expect.stringContaining(message),
      });
    }
    expect(bus.events()).toEqual([]);
    expect(await bus.client.send(put(half(0), half(0)))).toMatchObject({ FailedEntryCount: 0 });
  });

  test('hands on what was accepted, and nothing else', async () => {
    const taken: TakenEvent[] = [];
    await using bus = await startTestEventBridge({ onEvent: (event) => taken.push(event) });
    await bus.client.send(put(valid, { ...valid, Detail: '{' }, { ...valid, EventBusName: 'mine' }));
    expect(taken).toEqual(bus.events());
    expect(taken.map(({ eventBusName }) => eventBusName)).toEqual(['default', 'mine']);
  });

  test('is the only call that is known here', async () => {
    await using bus = await startTestEventBridge();
    await expect(bus.client.send(new ListRulesCommand({}))).rejects.toThrow(/Supported is AWSEvents\.PutEvents/);
  });
});
