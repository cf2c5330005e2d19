import * as z from 'zod';
import type { Secret, SecretStore } from './secret-store.ts';

export const listSecretsRequest = z.strictObject({
  MaxResults: z.number().int().min(1).max(100).default(100),
  NextToken: z.string().regex(/^\d+$/).optional(),
  IncludePlannedDeletion: z.boolean().optional(),
  Filters: z
    .array(
      z.strictObject({
        Key: z.enum(['name', 'tag-key', 'tag-value']),
        Values: z.array(z.string().min(1)).min(1).max(10),
      }),
    )
    .max(10)
    .default([]),
});
type ListRequest = z.output<typeof listSecretsRequest>;

/**
 * Secrets that match all filters; a filter goes by the beginning of a name, a tag's key or a tag's value.
 *
 * @param lagMs how long a secret is still listed that was deleted
 */
export function listSecrets(secrets: SecretStore, request: ListRequest, lagMs: number): Record<string, unknown> {
  const { MaxResults: most, NextToken: from = '0', Filters: filters } = request;
  const found = secrets.list(Date.now() - lagMs).filter((secret) => filters.every((filter) => matches(secret, filter)));
  const end = Number(from) + most;
  return {
    SecretList: found.slice(Number(from), end).map(({ arn, name, createdAt, tags }) => ({
      ARN: arn,
      Name: name,
      CreatedDate: createdAt.getTime() / 1000,
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    })),
    ...(end < found.length && { NextToken: String(end) }),
  };
}

function matches({ name, tags }: Secret, { Key: key, Values: values }: ListRequest['Filters'][number]): boolean {
  const texts = { name: [name], 'tag-key': Object.keys(tags), 'tag-value': Object.values(tags) }[key];
  return texts.some((text) => values.some((value) => text.startsWith(value)));
}
