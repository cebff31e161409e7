"""The wide and the hot tables, and the promises the database itself keeps.

Wide tables (batch, message, message_part) are partitioned by ranges of id, so that the SMSD ID alone finds a message
and old ones go by dropping a partition. Hot tables (queued, attempt, inbox_receipt) hold only what is in flight. Their
rows are written together with what they point to, thousands at a time, so they carry no foreign keys; `sampan
reconcile` and the tests check the ties instead.
"""

from django.db import migrations

TABLES = """
CREATE SEQUENCE batch_id AS bigint START 10001;
CREATE SEQUENCE message_id AS bigint START 100001;
CREATE SEQUENCE inbox_receipt_id AS bigint;

CREATE TABLE batch (
    id bigint PRIMARY KEY,
    customer_id bigint NOT NULL,
    person_id bigint,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    scheduled_at timestamptz,
    price_pips bigint NOT NULL CHECK (price_pips >= 0),
    recipients integer NOT NULL CHECK (recipients > 0),
    resumes_at timestamptz CHECK (resumes_at IS NULL OR state = 3),
    recurrence_id bigint,
    resend_of bigint,
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
    held_for smallint,
    source smallint NOT NULL CHECK (source BETWEEN 1 AND 8),
    purpose smallint NOT NULL CHECK (purpose IN (1, 2)),
    validity_minutes smallint NOT NULL CHECK (validity_minutes BETWEEN 10 AND 1380),
    coding smallint CHECK (coding IN (0, 8)),
    register_filter boolean,
    route text NOT NULL,
    sender text NOT NULL,
    signature text NOT NULL,
    footers text[] NOT NULL DEFAULT '{}' CHECK (cardinality(footers) IN (0, 4)),
    name text NOT NULL,
    text text NOT NULL,
    CHECK ((held_for IS NOT NULL) = (state = 4))
) PARTITION BY RANGE (id);
CREATE INDEX batch_of_customer ON batch (customer_id, created_at);
CREATE INDEX batch_due ON batch (scheduled_at) WHERE state = 1;
CREATE INDEX batch_held ON batch (scheduled_at) WHERE state = 4;
CREATE INDEX batch_resumes ON batch (resumes_at) WHERE resumes_at IS NOT NULL;
CREATE INDEX batch_resends ON batch (resend_of) WHERE resend_of IS NOT NULL;

CREATE TABLE message (
    id bigint PRIMARY KEY,
    batch_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    recipient bigint NOT NULL CHECK (recipient > 0),
    price_pips bigint NOT NULL CHECK (price_pips >= 0),
    charged_pips bigint NOT NULL DEFAULT 0 CHECK (charged_pips BETWEEN 0 AND price_pips),
    hold_id bigint,
    charge_id bigint CHECK (charge_id IS NULL OR charged_pips > 0),
    release_id bigint CHECK (release_id IS NULL OR charged_pips < price_pips),
    taken_at timestamptz,
    final_at timestamptz,
    destination_id integer NOT NULL,
    route_id integer,
    operator_id integer,
    status smallint NOT NULL CHECK (status IN (1, 2, 3, 4, 19, 20, 21, 22)),
    reason smallint NOT NULL,
    coding smallint NOT NULL CHECK (coding IN (0, 8)),
    units smallint NOT NULL,
    parts smallint NOT NULL CHECK (parts BETWEEN 0 AND 8),
    answered_parts smallint NOT NULL DEFAULT 0,
    taken_parts smallint NOT NULL DEFAULT 0,
    delivered_parts smallint NOT NULL DEFAULT 0,
    text text,
    fields jsonb,
    CHECK (final_at IS NOT NULL OR status NOT IN (1, 20, 21, 22)),
    CHECK (taken_parts & ~answered_parts = 0 AND delivered_parts & ~taken_parts = 0),
    CHECK (hold_id IS NOT NULL OR charge_id IS NULL AND release_id IS NULL)
) PARTITION BY RANGE (id);
-- One index serves a customer's periods and, as all messages of a batch share its created_at, a batch's messages too.
CREATE INDEX message_of_customer ON message (customer_id, created_at, id);
-- China's handsets reply to the operator's number: whom the last text was from says whose the reply is (spec S64, S112).
CREATE INDEX message_to_china ON message (recipient, id) WHERE recipient BETWEEN 8610000000000 AND 8619999999999;

CREATE TABLE message_part (
    message_id bigint NOT NULL,
    part smallint NOT NULL,
    try_number smallint NOT NULL,
    submitted_at timestamptz NOT NULL,
    answered_at timestamptz,
    receipt_at timestamptz,
    sequence_number bigint NOT NULL,
    operator_id integer NOT NULL,
    link_id integer NOT NULL,
    command_status integer,
    receipt_state smallint,
    operator_ref text,
    receipt_error text,
    PRIMARY KEY (message_id, part, try_number)
) PARTITION BY RANGE (message_id);
-- Nearly free: rows come in about the order of their receipts. For receipts that come again (dispatch/sweeps.py).
CREATE INDEX message_part_ended ON message_part USING brin (receipt_at);

CREATE TABLE queued (
    operator_id integer NOT NULL,
    lane smallint NOT NULL,
    customer_id bigint NOT NULL,
    message_id bigint NOT NULL,
    batch_id bigint NOT NULL,
    send_by timestamptz NOT NULL,
    not_before timestamptz,
    parts_left smallint NOT NULL CHECK (parts_left > 0),
    try_number smallint NOT NULL DEFAULT 1,
    PRIMARY KEY (operator_id, lane, customer_id, message_id)
);

CREATE TABLE attempt (
    message_id bigint NOT NULL,
    part smallint NOT NULL,
    try_number smallint NOT NULL,
    carries smallint NOT NULL CHECK (carries > 0),
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
    operator_id integer NOT NULL,
    link_id integer NOT NULL,
    sequence_number bigint NOT NULL,
    epoch bigint NOT NULL,
    recipient bigint NOT NULL,
    submitted_at timestamptz NOT NULL,
    answered_at timestamptz,
    state_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    queried_at timestamptz,
    operator_ref text,
    receipt_error text,
    PRIMARY KEY (message_id, part, try_number),
    CHECK ((operator_ref IS NULL) = (state IN (1, 4)))
);
CREATE INDEX attempt_by_ref ON attempt (operator_id, operator_ref) WHERE operator_ref IS NOT NULL;
CREATE INDEX attempt_unknown ON attempt (operator_id, recipient) WHERE state = 4;

CREATE TABLE inbox_receipt (
    id bigint PRIMARY KEY DEFAULT nextval('inbox_receipt_id'),
    operator_id integer NOT NULL,
    link_id integer NOT NULL,
    received_at timestamptz NOT NULL,
    retry_at timestamptz NOT NULL,
    recipient bigint,
    submitted_at timestamptz,
    user_reference integer,
    tries smallint NOT NULL DEFAULT 0,
    receipt_state smallint NOT NULL,
    intermediate boolean NOT NULL,
    looked_for boolean NOT NULL DEFAULT false,
    operator_ref text NOT NULL,
    source text NOT NULL,
    receipt_error text,
    text text NOT NULL
);

CREATE TABLE client_reference (
    customer_id bigint NOT NULL,
    reference text NOT NULL,
    fingerprint bytea NOT NULL,
    batch_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (customer_id, reference)
);

CREATE TABLE operator_lease (
    operator_id integer PRIMARY KEY,
    owner text NOT NULL,
    epoch bigint NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE gateway_presence (
    owner text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);

-- Rows of the hot tables come and go; vacuum follows by their number, not by their share.
ALTER TABLE queued SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
ALTER TABLE attempt SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
ALTER TABLE inbox_receipt SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
ALTER TABLE webhook_delivery SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
ALTER TABLE account SET (fillfactor = 20);
"""

# A partition holds 4 million ids; some always stand ready ahead of the sequence, so that no insert ever lacks one.
PARTITIONS = """
CREATE FUNCTION ensure_partitions(ahead integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    size CONSTANT bigint := 4000000;
    parent text; sequence text; first bigint; last bigint; made integer := 0; part text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('ensure_partitions'));
    FOR parent, sequence IN VALUES ('batch', 'batch_id'), ('message', 'message_id'), ('message_part', 'message_id') LOOP
        EXECUTE format('SELECT last_value / %s FROM %I', size, sequence) INTO first;
        FOR number IN first .. first + ahead LOOP
            part := format('%s_%s', parent, lpad(number::text, 5, '0'));
            IF to_regclass(part) IS NULL THEN
                -- A message is updated twice soon after it came: with as much room beside it (measured: a fifth less work).
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s) WITH (fillfactor = %s)',
                    part, parent, number * size, (number + 1) * size, CASE parent WHEN 'message' THEN 50 WHEN 'batch' THEN 80 ELSE 100 END);
                made := made + 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;
SELECT ensure_partitions(2);
"""

MONEY = """
CREATE FUNCTION post_transfers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved_accounts bigint;
BEGIN
    WITH moved AS (
        SELECT account_id, sum(pips)::bigint AS pips
          FROM (SELECT from_account_id AS account_id, -amount_pips AS pips FROM posted
                UNION ALL SELECT to_account_id, amount_pips FROM posted) AS sides
         GROUP BY account_id),
    locked AS MATERIALIZED (
        SELECT id FROM account WHERE id IN (SELECT account_id FROM moved) ORDER BY id FOR NO KEY UPDATE)
    UPDATE account SET balance_pips = balance_pips + moved.pips
      FROM moved JOIN locked ON locked.id = moved.account_id WHERE account.id = locked.id;
    GET DIAGNOSTICS moved_accounts = ROW_COUNT;
    IF moved_accounts <> (SELECT count(*) FROM (SELECT from_account_id FROM posted UNION SELECT to_account_id FROM posted)
                          AS accounts) THEN
        RAISE EXCEPTION 'a transfer names an account that is not there' USING ERRCODE = 'foreign_key_violation';
    END IF;
    -- Refunds and moves take out no more than paid + received - sent - refunded (spec S85a): kinds 8 and 13, 4 and 8.
    IF EXISTS (SELECT FROM posted WHERE kind IN (8, 13)) AND EXISTS (
        SELECT FROM account WHERE kind IN (4, 8)
           AND customer_id IN (SELECT customer_id FROM posted WHERE kind IN (8, 13))
         GROUP BY customer_id HAVING sum(balance_pips) > 0) THEN
        RAISE EXCEPTION 'more would be taken out than was paid in'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'account_taken_out';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER transfer_posts AFTER INSERT ON transfer REFERENCING NEW TABLE AS posted
    FOR EACH STATEMENT EXECUTE FUNCTION post_transfers();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is not allowed: money is only ever moved by a new transfer', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER transfer_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER account_is_kept BEFORE DELETE OR TRUNCATE ON account
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER account_begins_empty BEFORE INSERT ON account
    FOR EACH ROW WHEN (new.balance_pips <> 0) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER account_moves_by_transfer BEFORE UPDATE ON account
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_change();
"""

# What staff did stays as it was written (spec S134).
AUDIT = """
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is not allowed: its rows are only ever added', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER audit_entry_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
"""

# Processes keep what they price and route by in memory; this tells them to read it again.
CHANGES = "\n".join(
    [
        """
CREATE FUNCTION tell_of_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('changed', TG_TABLE_NAME);
    RETURN NULL;
END $$;"""
    ]
    + [
        f"CREATE TRIGGER {table}_tells AFTER INSERT OR DELETE OR UPDATE {columns} ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION tell_of_change();"
        for table, columns in (
            ("customer", ""),
            # not of last_login: a sign-in would make every caller of the APIs prove its password again
            ("person", "OF login_name, password, customer_id, role, is_active"),
            ("sender_id", ""),
            ("api_key", "OF revoked_at, expires_at, scopes, networks"),  # not of last_used_at
            ("blocked_address", ""),
            ("allowed_network", ""),
            ("route", ""),
            ("destination", ""),
            ("route_operator", ""),
            ("operator", ""),
            ("link", ""),
            ("price", ""),
            ("customer_price", ""),
            ("china_word", ""),
            ("china_signature", ""),
            ("footer_profile", ""),
            ("compliance_settings", ""),
            ("register_import", ""),
            ("platform_state", ""),
            ("webhook_endpoint", "OF events, off_since, removed_at"),
        )
    ]
)


class Migration(migrations.Migration):
    dependencies = [("sampan", "0001_tables")]
    operations = [migrations.RunSQL(sql) for sql in (TABLES, PARTITIONS, MONEY, AUDIT, CHANGES)]
