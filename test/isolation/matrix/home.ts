import type { Client } from 'pg';
import { capabilityFor } from '../../helpers/capability.ts';
import { rowsOf, type TenantTable, tenantTables } from './catalog.ts';
import { type Row, rowOf } from './rows.ts';

/** Rows by tenant and table, each as a text that changes whenever the row is written. */
export type Snapshot = ReadonlyMap<string, ReadonlySet<string>>;

type Place = Pick<Home, 'schema' | 'database' | 'app' | 'untouched'>;

/** A placement schema full of rows, which can be looked at, and put back, past all protection. */
export class Home {
  readonly schema: string;
  readonly database: string;
  readonly tables: readonly TenantTable[];
  /** The login of application functions. */
  readonly app: Client;
  /** The same, on a connection that never had a capability. */
  readonly untouched: Client;
  /** Past all protection; its session keeps the rows to put back. */
  readonly superuser: Client;
  #known: Snapshot | undefined;

  private constructor(place: Place, tables: readonly TenantTable[], superuser: Client) {
    ({ schema: this.schema, database: this.database, app: this.app, untouched: this.untouched } = place);
    this.tables = tables;
    this.superuser = superuser;
  }

  /**
   * Fills the tables that the catalog knows of, for each tenant.
   *
   * @param active one of the tenants, in whose name the fence lets the superuser write
   * @param superuser a connection of its own: its session keeps the rows to put back
   */
  static async fill(place: Place, superuser: Client, tenants: readonly string[], active: string): Promise<Home> {
    const tables = await tenantTables(superuser, place.schema);
    const home = new Home(place, tables, superuser);
    const capability = capabilityFor(active, { secondsLeft: 3600 });
    await superuser.query(`select set_config('tenancy.capability', $1, false)`, [capability]);
    for (const table of tables) {
      for (const tenant of tenants)
        for (let n = 1; n <= rowsOf(table, tables); n += 1)
          await superuser.query(home.insertion(table, home.row(table, tenant, n)));
      await superuser.query(`create temp table "saved_${table.name}" as select * from ${home.nameOf(table)}`);
    }
    return home;
  }

  nameOf({ name }: TenantTable): string {
    return `"${this.schema}"."${name}"`;
  }

  row(table: TenantTable, tenant: string, n: number): Row {
    return rowOf(this.tables, table, tenant, n);
  }

  /** The row that a tenant does not have yet. */
  nextRow(table: TenantTable, tenant: string): Row {
    return this.row(table, tenant, rowsOf(table, this.tables) + 1);
  }

  insertion(table: TenantTable, row: Row): string {
    const columns = Object.keys(row).map((name) => `"${name}"`);
    const values = Object.values(row).map((value) => (value === null ? 'null' : `'${value.replaceAll("'", "''")}'`));
    return `insert into ${this.nameOf(table)} (${columns.join(', ')}) overriding system value values (${values.join(', ')})`;
  }

  /** The rows as they were when somebody last looked: nobody else writes here. */
  async known(): Promise<Snapshot> {
    return this.#known ?? (await this.look());
  }

  async look(): Promise<Snapshot> {
    const all = this.tables.map(
      (table) =>
        `select tenant_id || ' ${table.name}' as place, ctid::text || ' ' || xmin || ' ' || md5(t::text) as row from ${this.nameOf(table)} t`,
    );
    const { rows } = await this.superuser.query<{ place: string; row: string }>(all.join(' union all '));
    const byPlace = [...Map.groupBy(rows, ({ place }) => place)];
    this.#known = new Map(byPlace.map(([place, of]) => [place, new Set(of.map(({ row }) => row))]));
    return this.#known;
  }

  /** Puts every row back as it was filled in. */
  async restore(): Promise<void> {
    this.#known = undefined;
    const names = this.tables.map((table) => this.nameOf(table)).join(', ');
    const insertions = this.tables.map((table) => {
      const columns = table.columns.filter(({ isGenerated }) => !isGenerated).map(({ name }) => `"${name}"`);
      const list = columns.join(', ');
      return `insert into ${this.nameOf(table)} (${list}) overriding system value select ${list} from "saved_${table.name}"`;
    });
    await this.superuser.query(['begin', `truncate ${names}`, ...insertions, 'commit'].join('; '));
  }
}
