-- Remembers a database as it is after the migrations, and puts it back before each test (tests/database.py).

CREATE SCHEMA kept;    -- a copy of each table in which migrations made rows
CREATE SCHEMA keeper;  -- what is known of all

CREATE TABLE keeper.sequence AS SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public';
CREATE TABLE keeper.relation (name name PRIMARY KEY, rows_digest text);

CREATE FUNCTION keeper.digest(name name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE digest text;
BEGIN
    EXECUTE format('SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM public.%I AS t', name) INTO digest;
    RETURN digest;
END $$;

CREATE VIEW keeper.present AS
    SELECT relname AS name, relkind = 'r' AS has_rows, CASE relkind WHEN 'r' THEN pg_relation_size(oid) END AS octets
      FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p');

INSERT INTO keeper.relation SELECT name, CASE WHEN has_rows THEN keeper.digest(name) END FROM keeper.present;

DO $$
DECLARE it record;
BEGIN
    FOR it IN SELECT name FROM keeper.relation WHERE rows_digest IS NOT NULL LOOP
        EXECUTE format('CREATE TABLE kept.%1$I AS TABLE public.%1$I', it.name);
    END LOOP;
END $$;

-- As a replica: no trigger refuses it, and no foreign key asks for an order. Deleting few rows is quicker than
-- truncating, which makes new files; many rows would be read by every later test.
CREATE FUNCTION keeper.put_back() RETURNS void LANGUAGE plpgsql
    SET session_replication_role = replica SET lock_timeout = '10s' AS $$
DECLARE
    large_octets CONSTANT integer := 1000000;
    it record; large text; is_changed boolean;
BEGIN
    -- A process that a test killed may leave a transaction, and its locks, for a moment.
    PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND backend_type = 'client backend' AND state <> 'idle';

    FOR it IN SELECT name FROM keeper.present WHERE name NOT IN (SELECT name FROM keeper.relation) LOOP
        EXECUTE format('DROP TABLE IF EXISTS public.%I CASCADE', it.name);  -- such as new partitions
    END LOOP;

    SELECT string_agg(format('public.%I', name), ', ') INTO large FROM keeper.present WHERE octets > large_octets;
    IF large IS NOT NULL THEN
        EXECUTE format('TRUNCATE %s CASCADE', large);
    END IF;

    FOR it IN SELECT name, rows_digest FROM keeper.present JOIN keeper.relation USING (name)
              WHERE octets > 0 OR rows_digest IS NOT NULL LOOP
        IF it.rows_digest IS NULL THEN
            EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', it.name) INTO is_changed;
        ELSE
            is_changed := keeper.digest(it.name) IS DISTINCT FROM it.rows_digest;
        END IF;
        IF is_changed THEN
            EXECUTE format('DELETE FROM public.%I', it.name);
            IF it.rows_digest IS NOT NULL THEN
                EXECUTE format('INSERT INTO public.%1$I OVERRIDING SYSTEM VALUE TABLE kept.%1$I', it.name);
            END IF;
            PERFORM pg_notify('changed', it.name);
        END IF;
    END LOOP;

    PERFORM setval(format('public.%I', sequencename)::regclass, coalesce(kept.last_value, start_value),
                   kept.last_value IS NOT NULL)
      FROM pg_sequences AS now JOIN keeper.sequence AS kept USING (sequencename)
     WHERE schemaname = 'public' AND now.last_value IS DISTINCT FROM kept.last_value;
END $$;
