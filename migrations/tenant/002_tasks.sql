-- Tasks of a project.

create table tasks (
  tenant_id text not null,
  id uuid not null default gen_random_uuid(),
  project_id uuid not null,
  title text not null check (char_length(title) between 1 and 500),
  status text not null default 'open' check (status in ('open', 'doing', 'done')),
  assignee text check (char_length(assignee) <= 200),
  due_on date,
  estimate_minutes integer check (estimate_minutes >= 0),
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  -- The tenant is part of the key, so that a task cannot hang on another tenant's project, nor find out that it exists.
  foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
);
create index on tasks (tenant_id, project_id, created_at, id);

select tenancy.protect('tasks');
