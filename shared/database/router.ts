import { AppError } from '../errors/index.ts';
import { type Placement, placementSchema, type TenantContext } from '../tenancy/index.ts';
import type { DatabaseConfig } from './config.ts';
import type { Connection, DataApi } from './data-api.ts';
import { DatabaseError } from './database-error.ts';
import { special } from './error-table.ts';

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

/**
 * Finds a tenant's home: where the authorizer said, or, once the database has answered "moved", where the registry says. What it learns of
 * a tenant it keeps for the request alone; nothing about a tenant outlives that here (docs/decisions/0036-one-look-up-one-retry.md).
 */
export class Router {
  readonly #config: DatabaseConfig;
  readonly #dataApi: DataApi;
  readonly #memory: PlacementMemory | undefined;
  /** By request: the context is the request's own. */
  readonly #found = new WeakMap<TenantContext, Placement>();
  /** What the registry has said, or is about to say, to a request. */
  readonly #answers = new WeakMap<TenantContext, Promise<Placement>>();

  constructor(config: DatabaseConfig, dataApi: DataApi, memory?: PlacementMemory) {
    this.#config = config;
    this.#dataApi = dataApi;
    this.#memory = memory;
  }

  homeOf(context: TenantContext): Home {
    return this.#homeAt(this.#found.get(context) ?? context.placement);
  }

  /**
   * Looks up where the tenant lives that was not at home where its request looked, for the rest of the request: in what functions share,
   * then in the registry, which a request asks once at most.
   *
   * @returns whether that is another home
   * @throws DatabaseError `tenant-unknown` when the registry does not know the tenant
   */
  async isElsewhere(context: TenantContext, home: Home): Promise<boolean> {
    const placement = await this.#lookUp(context, home);
    this.#found.set(context, placement);
    return !isSame(this.#homeAt(placement), home);
  }

  /** What functions share is tried once, and no more once the registry has said something. */
  async #lookUp(context: TenantContext, home: Home): Promise<Placement> {
    if (this.#memory && !this.#found.has(context)) {
      const remembered = await this.#memory.remember(() => this.#ask(context));
      if (!this.#answers.has(context) && !isSame(this.#homeAt(remembered), home)) return remembered;
    }
    const isNews = !this.#answers.has(context);
    const placement = await this.#ask(context);
    if (isNews) await this.#memory?.replace(placement);
    return placement;
  }

  #ask(context: TenantContext): Promise<Placement> {
    const answer = this.#answers.get(context) ?? this.#askRegistry(context);
    this.#answers.set(context, answer);
    return answer;
  }

  async #askRegistry({ capability }: TenantContext): Promise<Placement> {
    const { cluster, database } = this.#config.registry;
    const [row] = await this.#dataApi.execute(
      { ...loginOf(this.#config, cluster), database },
      'select registry.current_placement(:capability)',
      { capability },
      { twice: 'harmless' },
    );
    if (typeof row?.[0] !== 'string')
      throw new DatabaseError(special.unknownTenant.code, special.unknownTenant.message);
    return placementSchema.parse(JSON.parse(row[0]));
  }

  #homeAt({ cluster, database, schema, secretArn }: Placement): Home {
    return { ...loginOf(this.#config, cluster), ...(secretArn !== undefined && { secretArn }), database, schema };
  }
}

/** Whether a statement would be the same call to both. */
const isSame = (one: Home, other: Home): boolean =>
  one.resourceArn === other.resourceArn &&
  one.secretArn === other.secretArn &&
  one.database === other.database &&
  one.schema === other.schema;

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
