import { mintCapability } from '../shared/tenancy/index.ts';
import { atMost, type Bench, takeTurns } from './bench.ts';
import { type BenchPostgres, benchPostgres, fillProjects, projectOf, signingKey, tenantOf } from './postgres.ts';

/** A point query must not get slower as tenants come: 10 tenants with 5,000 rows in all against 10,000 with 5,000,000. */
export const bench: Bench = async (progress) => {
  await using few = await filled(10);
  progress('filling 5,000,000 rows of 10,000 tenants');
  await using many = await filled(10_000);
  progress('measuring');
  const times = await takeTurns(
    { few: pointQuery(few, 10), many: pointQuery(many, 10_000) },
    { rounds: 20, callsPerRound: 200 },
  );
  return {
    rows: [
      { case: '10 tenants, 5,000 rows', value: times.few, unit: 'ms' },
      { case: '10,000 tenants, 5,000,000 rows', value: times.many, unit: 'ms' },
    ],
    ratios: [atMost('10,000 tenants / 10 tenants', times.many / times.few, 1.3)],
  };
};

const rowsEach = 500;

async function filled(tenants: number): Promise<BenchPostgres> {
  const postgres = await benchPostgres();
  await fillProjects(postgres.superuser, tenants, rowsEach);
  return postgres;
}

function pointQuery({ app }: BenchPostgres, tenants: number): () => Promise<unknown> {
  const expiresAt = Date.now() / 1000 + 3_600;
  const capabilities = Array.from({ length: tenants }, (_, index) =>
    mintCapability(signingKey, tenantOf(index + 1), expiresAt),
  );
  const random = (below: number): number => Math.floor(Math.random() * below);
  return () =>
    app.query({
      text: 'select * from tenancy.run($1, $2, $3, $4::jsonb)',
      values: [
        capabilities[random(tenants)],
        'pool',
        'select id, name, created_at from projects where id = %1$L',
        JSON.stringify([projectOf(1 + random(rowsEach))]),
      ],
    });
}
