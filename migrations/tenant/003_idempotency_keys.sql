-- Answers to requests that carried an Idempotency-Key.

create table idempotency_keys (
  tenant_id text not null,
  key text not null,
  status text not null check (status in ('INPROGRESS', 'COMPLETED')),
  response jsonb,
  request_hash text,
  -- Milliseconds since the epoch: when a function that died has let go of the key.
  in_progress_until bigint,
  -- Seconds since the epoch.
  expires_at bigint not null,
  primary key (tenant_id, key)
);

select tenancy.protect('idempotency_keys');
