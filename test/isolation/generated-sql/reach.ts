import type { Client } from 'pg';

export interface Column {
  readonly name: string;
  /** As Postgres prints it, for example `timestamp with time zone`. */
  readonly type: string;
}

export interface Relation {
  readonly name: string;
  /** `open` are tables of tenants, and what else the role has a privilege on; `closed` those of the kernel and the registry. */
  readonly room: 'open' | 'closed' | 'catalog';
  readonly columns: readonly Column[];
  /** Lists of columns that `on conflict` may name. */
  readonly keys: readonly string[];
}

export interface Routine {
  readonly name: string;
  readonly room: 'ours' | 'catalog';
  readonly arguments: readonly string[];
  readonly returns: string;
  readonly returnsSet: boolean;
}

/** All that a statement of the application role can name. */
export interface Reach {
  readonly relations: readonly Relation[];
  readonly routines: readonly Routine[];
}

/**
 * Functions of Postgres that read settings, queries given as text, files, large objects, locks, statistics, versions of rows, the code
 * of objects or other sessions. Left out is what ends or cancels sessions: a role may do that to its own, and these tests need theirs.
 */
const worthTrying = [
  'current_setting set_config query_to_xml query_to_xml_and_xmlschema table_to_xml schema_to_xml database_to_xml cursor_to_xml',
  'lo_create lo_creat lo_from_bytea lo_get lo_put lo_open lo_close lo_unlink lo_import lo_export loread lowrite lo_lseek64',
  'pg_advisory_lock pg_advisory_xact_lock pg_try_advisory_lock pg_try_advisory_xact_lock_shared pg_advisory_unlock',
  'pg_advisory_unlock_all txid_current txid_current_if_assigned txid_current_snapshot txid_status pg_current_xact_id',
  'pg_current_snapshot pg_xact_status pg_xact_commit_timestamp pg_export_snapshot pg_notify pg_listening_channels',
  'pg_read_file pg_read_binary_file pg_ls_dir pg_stat_file pg_ls_waldir pg_ls_tmpdir pg_current_logfile pg_relation_filepath',
  'pg_get_functiondef pg_get_viewdef pg_get_triggerdef pg_get_constraintdef pg_get_indexdef pg_get_expr pg_describe_object',
  'pg_stat_get_activity pg_stat_get_backend_activity pg_stat_get_live_tuples pg_stat_get_tuples_inserted pg_stat_get_numscans',
  'pg_lock_status pg_cursor pg_prepared_statement pg_prepared_xact pg_show_all_settings pg_settings pg_blocking_pids',
  'pg_relation_size pg_total_relation_size pg_database_size pg_column_size row_security_active has_table_privilege to_regclass',
  'has_function_privilege has_column_privilege pg_table_is_visible pg_backend_pid pg_my_temp_schema current_schemas version',
  'nextval setval currval lastval pg_sequence_last_value pg_hba_file_rules pg_tablespace_databases pg_config ts_stat ts_rewrite',
  'pg_create_logical_replication_slot pg_logical_slot_peek_changes pg_switch_wal pg_reload_conf pg_log_backend_memory_contexts',
  'pg_mcv_list_items pg_input_error_message pg_typeof format quote_literal quote_ident to_json row_to_json jsonb_pretty',
  'pg_sleep generate_series pg_size_pretty pg_rotate_logfile pg_create_restore_point inet_client_addr pg_visible_in_snapshot currtid2',
].flatMap((line) => line.split(' '));

/** Looks up what there is, as the application role. A table, view or function that is new is found by being there. */
export async function findReach(app: Client): Promise<Reach> {
  const relations = await app.query<Relation>(`
    select format('%I.%I', n.nspname, c.relname) as name,
      case when n.nspname in ('pg_catalog', 'information_schema') then 'catalog'
        when has_any_column_privilege(c.oid, 'select') then 'open' else 'closed' end as room,
      (select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, null)) order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
      coalesce((select jsonb_agg((
          select string_agg(quote_ident(a.attname), ', ' order by k.position)
          from unnest(i.indkey) with ordinality k(column_, position) join pg_attribute a on a.attrelid = c.oid and a.attnum = k.column_))
        from pg_index i where i.indrelid = c.oid and i.indisunique), '[]') as keys
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'v', 'm', 'p', 'f') and n.nspname !~ '^pg_(toast|temp)'
      and (n.nspname in ('tenancy', 'registry') or has_any_column_privilege(c.oid, 'select'))
    order by 1`);
  const routines = await app.query<Routine>(
    `select format('%I.%I', n.nspname, p.proname) as name,
       case when n.nspname = 'pg_catalog' then 'catalog' else 'ours' end as room,
       array(select format_type(t, null) from unnest(p.proargtypes) t) as arguments,
       format_type(p.prorettype, null) as returns, p.proretset as "returnsSet"
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where p.prokind = 'f' and (n.nspname not in ('pg_catalog', 'information_schema') and has_function_privilege(p.oid, 'execute')
         or n.nspname = 'pg_catalog' and p.proname = any ($1))
       and not exists (select from unnest(p.proargtypes) t where t in ('internal'::regtype, 'cstring'::regtype))
     order by 1, 3`,
    [worthTrying],
  );
  return { relations: relations.rows, routines: routines.rows };
}
