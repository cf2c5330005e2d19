import { AppError } from '../errors/index.ts';
import { type Placement, placementSchema, type TenantContext } from '../tenancy/index.ts';
import type { DatabaseConfig } from './config.ts';
import type { Connection, DataApi } from './data-api.ts';
import { DatabaseError } from './database-error.ts';
import { special } from './error-table.ts';
import { addressOf, MovedTenants } from './moved-tenants.ts';

/** A schema of a database, where a tenant is at home. */
export interface Home extends Connection {
  readonly schema: string;
}

/** Where all processes share what the registry has said of the current tenant. That it may be out of date does no harm: see `Router`. */
export interface PlacementMemory {
  /** What is remembered, or else what `load` gives. */
  remember(load: () => Promise<Placement>): Promise<Placement>;
  replace(placement: Placement): Promise<void>;
}

/** Finds a tenant's home: where the authorizer said, or where the registry says once the database has answered "moved". */
export class Router {
  readonly #config: DatabaseConfig;
  readonly #dataApi: DataApi;
  readonly #memory: PlacementMemory | undefined;
  /** Lives as long as a request: the context is the request's own. */
  readonly #refreshed = new WeakMap<TenantContext, Placement>();
  /** Tenants of which authorizers still say, for as long as their answers are replayed, where they lived before. */
  readonly #moved = new MovedTenants();

  constructor(config: DatabaseConfig, dataApi: DataApi, memory?: PlacementMemory) {
    this.#config = config;
    this.#dataApi = dataApi;
    this.#memory = memory;
  }

  homeOf(context: TenantContext): Home {
    const { cluster, database, schema, secretArn } = this.#placementOf(context);
    return { ...loginOf(this.#config, cluster), ...(secretArn !== undefined && { secretArn }), database, schema };
  }

  /**
   * Looks the tenant's placement up again, for the rest of the request.
   *
   * @returns whether it is another one than before
   * @throws DatabaseError `tenant-unknown` when the registry does not know the tenant
   */
  async refresh(context: TenantContext): Promise<boolean> {
    const before = this.#placementOf(context);
    const now = await this.#lookUp(context, before);
    this.#refreshed.set(context, now);
    this.#moved.add(context, now);
    return addressOf(now) !== addressOf(before);
  }

  /** What is remembered, unless that is where the tenant was looked for in vain. */
  async #lookUp(context: TenantContext, before: Placement): Promise<Placement> {
    if (!this.#memory) return await this.#ask(context);
    let asked: Placement | undefined;
    const remembered = await this.#memory.remember(async () => (asked = await this.#ask(context)));
    if (asked || addressOf(remembered) !== addressOf(before)) return remembered;
    const now = await this.#ask(context);
    await this.#memory.replace(now);
    return now;
  }

  async #ask(context: TenantContext): Promise<Placement> {
    const { cluster, database } = this.#config.registry;
    const [row] = await this.#dataApi.execute(
      { ...loginOf(this.#config, cluster), database },
      'select registry.current_placement(:capability)',
      { capability: context.capability },
      { twice: 'harmless' },
    );
    if (typeof row?.[0] !== 'string')
      throw new DatabaseError(special.unknownTenant.code, special.unknownTenant.message);
    return placementSchema.parse(JSON.parse(row[0]));
  }

  #placementOf(context: TenantContext): Placement {
    return this.#refreshed.get(context) ?? this.#moved.find(context) ?? context.placement;
  }
}

/** @throws AppError `internal` when the function was not told of the cluster */
export function loginOf({ clusters }: DatabaseConfig, cluster: string): { resourceArn: string; secretArn: string } {
  const login = Object.hasOwn(clusters, cluster) ? clusters[cluster] : undefined;
  if (login) return { resourceArn: login.resourceArn, secretArn: login.secretArn };
  const known = Object.keys(clusters).join(', ');
  throw new AppError(
    'internal',
    `The function knows no cluster "${cluster}", only ${known}. Add it to the stage's configuration.`,
  );
}
