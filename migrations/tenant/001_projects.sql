-- Projects of a tenant.

create table projects (
  tenant_id text not null,
  id uuid not null default gen_random_uuid(),
  name text not null check (char_length(name) between 1 and 200),
  description text check (char_length(description) <= 10000),
  archived boolean not null default false,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, name)
);
-- The order of lists: oldest first, ties by id.
create index on projects (tenant_id, created_at, id);

select tenancy.protect('projects');
