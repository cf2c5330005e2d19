import { Cluster, type Redis } from 'ioredis';
import type { CacheClient } from './client.ts';

/** Whether nobody waits any more. */
export type IsOver = () => boolean;

type Command = Parameters<Redis['sendCommand']>[0];

/**
 * ioredis may send a command later than it was told to: nodes of a cluster hold back what comes before they are logged in, and what was answered
 * with MOVED, ASK, TRYAGAIN or NOSCRIPT is asked again. Makes it fail there instead, if nobody waits for it any more.
 *
 * @returns begins work: the commands that it sends right away are its own
 */
export function sendInTime(client: CacheClient): <T>(work: () => Promise<T>, isOver: IsOver) => Promise<T> {
  const commands = new WeakMap<Command, IsOver>();
  // Not a context that follows what is asynchronous: a connection that the work opens logs in whoever waits.
  let begun: IsOver | undefined;
  const watch = (sender: CacheClient): void => {
    const send = sender.sendCommand.bind(sender) as (command: Command, ...how: unknown[]) => unknown;
    sender.sendCommand = (command: Command, ...how: unknown[]) => {
      if (begun && !commands.has(command)) {
        commands.set(command, begun);
        hideLateErrors(command, begun);
      }
      if (!commands.get(command)?.()) return send(command, ...how);
      command.reject(new Error('It was not sent in time.'));
      return command.promise;
    };
  };
  watch(client);
  if (client instanceof Cluster) client.on('+node', watch);
  return (work, isOver) => {
    begun = isOver;
    try {
      return work();
    } finally {
      begun = undefined;
    }
  };
}

/** A script that the server does not know is sent anew, as a command of its own: by its error, which is another one once nobody waits. */
function hideLateErrors(command: Command, isOver: IsOver): void {
  const reject = command.reject.bind(command);
  command.reject = (error) =>
    reject(isOver() ? new Error('It failed when nobody waited for it.', { cause: error }) : error);
}
