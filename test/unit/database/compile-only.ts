import { DummyDriver, Kysely, type KyselyPlugin, PostgresAdapter } from 'kysely';
import { TenantQueryCompiler } from '../../../shared/database/query-compiler.ts';
import type { Tables } from '../../../shared/database/tables.ts';

/** Kysely with our compiler and no database, for what is compiled alone. */
export function compileOnly(...plugins: KyselyPlugin[]): Kysely<Tables> {
  return new Kysely<Tables>({
    plugins,
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createQueryCompiler: () => new TenantQueryCompiler(),
      createIntrospector: () => {
        throw new Error('There is no database here.');
      },
    },
  });
}
