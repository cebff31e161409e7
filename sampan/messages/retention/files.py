"""What a customer is given of its own data: all that names it, but for our own notes (spec S130)."""

# One file each: its name, and what is in it, of one customer. Money as whole pips (HK$0.0001), times in UTC.
FILES = {
    "account": """
        SELECT id, name, created_at, time_zone, validity_minutes, verified_mobile, registration_number, tier,
               results_kept_months FROM customer WHERE id = %(customer)s""",
    "members": """
        SELECT login_name, name, email, mobile, role, language, is_active, created_at, last_login
          FROM person WHERE customer_id = %(customer)s ORDER BY id""",
    "sender-ids": "SELECT text, created_at, withdrawn_at FROM sender_id WHERE customer_id = %(customer)s ORDER BY id",
    "mail-addresses": """
        SELECT address, asked_at, verified_at, is_on, removed_at FROM mail_address WHERE customer_id = %(customer)s
         ORDER BY id""",
    "batches": """
        SELECT id, name, created_at, scheduled_at, started_at, source, purpose, sender, route, recipients, price_pips,
               text FROM batch WHERE customer_id = %(customer)s ORDER BY created_at, id""",
    "messages": """
        SELECT m.id, m.batch_id, m.created_at, m.recipient, m.status, m.reason, m.units, m.price_pips, m.charged_pips,
               m.taken_at, m.final_at, m.text FROM message m WHERE m.customer_id = %(customer)s
         ORDER BY m.created_at, m.id""",
    "contacts": """
        SELECT c.number, c.name, c.fields::text, c.created_at, c.updated_at, ARRAY(
               SELECT g.name FROM contact_group_member m JOIN contact_group g ON g.id = m.group_id
                WHERE m.contact_id = c.id ORDER BY g.name) AS groups
          FROM contact c WHERE c.customer_id = %(customer)s ORDER BY c.id""",
    "replies": """
        SELECT id, received_at, handset, number, keyword, text, message_id, unsubscribed, answer
          FROM reply WHERE customer_id = %(customer)s ORDER BY id""",
    "answers-to-words": "SELECT word, text, changed_at FROM auto_answer WHERE customer_id = %(customer)s ORDER BY word",
    "consents-and-unsubscribes": """
        SELECT p.number, CASE p.kind WHEN 1 THEN 'consent' ELSE 'unsubscribed' END AS said, p.way, p.at, p.recorded_at,
               w.login_name AS recorded_by, p.evidence
          FROM preference p LEFT JOIN person w ON w.id = p.person_id
         WHERE p.customer_id = %(customer)s ORDER BY p.id""",
    "filtered-by-the-register": """
        SELECT at, batch_id, register_date, consent_declared, asked, filtered
          FROM screening WHERE customer_id = %(customer)s ORDER BY id""",
    "acts-on-batches": """
        SELECT a.batch_id, a.at, a.kind, p.login_name AS by
          FROM batch_act a LEFT JOIN person p ON p.id = a.person_id WHERE a.customer_id = %(customer)s ORDER BY a.id""",
    "drafts": """
        SELECT d.id, d.name, d.created_at, d.updated_at, d.text, d.sender, d.route, d.purpose, d.scheduled_at,
               l.file_name, l.numbers
          FROM compose_draft d LEFT JOIN compose_list l ON l.draft_id = d.id
         WHERE d.customer_id = %(customer)s ORDER BY d.created_at, d.id, l.id""",
    "series": """
        SELECT id, name, created_at, every, first_on, at, time_zone, until, ended_at, text, sender, route, purpose
          FROM recurrence WHERE customer_id = %(customer)s ORDER BY id""",
    "codes-sent": """
        SELECT number, created_at, expires_at, verified_at, message_id
          FROM verification WHERE customer_id = %(customer)s ORDER BY created_at, id""",
    "sender-id-requests": """
        SELECT text, asked_at, decision, decided_at, words
          FROM sender_request WHERE customer_id = %(customer)s ORDER BY id""",
    "signatures": """
        SELECT name, grounds, state, requested_at, decided_at, words
          FROM china_signature WHERE customer_id = %(customer)s ORDER BY id""",
    "footer": """
        SELECT name_en, name_zh, contact, unsubscribe_number, is_added, updated_at
          FROM footer_profile WHERE customer_id = %(customer)s""",
    "rented-numbers": """
        SELECT n.number, r.keyword, r.monthly_pips, r.begun_at, r.paid_until, r.ended_at, r.ended_why
          FROM rental r JOIN rented_number n ON n.id = r.number_id WHERE r.customer_id = %(customer)s ORDER BY r.id""",
    "forwards": "SELECT email, mobile, to_smpp, changed_at FROM forwarding WHERE customer_id = %(customer)s",
    "alerts": "SELECT below_pips, email, mobile, told_at FROM low_balance_alert WHERE customer_id = %(customer)s",
    "invitations": """
        SELECT email, role, may_send, created_at, accepted_at, withdrawn_at
          FROM invitation WHERE customer_id = %(customer)s ORDER BY id""",
    "keys": """
        SELECT name, hint, created_at, expires_at, last_used_at, revoked_at
          FROM api_key WHERE customer_id = %(customer)s ORDER BY id""",
    "networks": "SELECT network, note, added_at FROM allowed_network WHERE customer_id = %(customer)s ORDER BY id",
    "turned-away": """
        SELECT door, address, first_at, last_at FROM refused_address WHERE customer_id = %(customer)s ORDER BY id""",
    "webhooks": """
        SELECT name, url, form, created_at, off_since, off_why, removed_at
          FROM webhook_endpoint WHERE customer_id = %(customer)s ORDER BY id""",
    "registrations": """
        SELECT asked_at, decision, decided_at, words FROM application WHERE customer_id = %(customer)s ORDER BY id""",
    "documents": """
        SELECT file_name, media_type, octets, created_at FROM document WHERE customer_id = %(customer)s ORDER BY id""",
    "certificates": """
        SELECT number, valid_from, valid_until, recorded_at, withdrawn_at
          FROM certificate WHERE customer_id = %(customer)s ORDER BY id""",
    "top-ups": """
        SELECT id, amount_pips, bonus_pips, way, reference, filed_at, state, settled_at, words
          FROM top_up WHERE customer_id = %(customer)s ORDER BY id""",
    "own-prices": """
        SELECT d.name AS destination, r.code AS route, p.effective_from, p.unit_pips
          FROM customer_price p JOIN destination d ON d.id = p.destination_id JOIN route r ON r.id = p.route_id
         WHERE p.customer_id = %(customer)s ORDER BY p.id""",
    "support-cases": """
        SELECT c.id, c.message_id, c.opened_at, c.closed_at, w.at,
               CASE w.speaker WHEN 1 THEN 'you' ELSE 'staff' END AS speaker, w.text
          FROM support_case c JOIN case_word w ON w.case_id = c.id AND w.speaker <> 3
         WHERE c.customer_id = %(customer)s ORDER BY w.id""",
    "tests-of-support-cases": """
        SELECT t.case_id, t.sent_at, t.sender, t.route, t.text, t.received, t.marked_at
          FROM support_case c JOIN case_test t ON t.case_id = c.id WHERE c.customer_id = %(customer)s ORDER BY t.id""",
    "support-windows": """
        SELECT opened_at, until, closed_at, is_abuse_case, why
          FROM support_window WHERE customer_id = %(customer)s
           AND NOT (is_abuse_case AND closed_at IS NULL AND until > %(now)s) ORDER BY id""",
    "closed-totals": """
        SELECT day, source, purpose, destination_id, route_id, status, reason, messages, units, charged_pips
          FROM closed_total WHERE customer_id = %(customer)s ORDER BY day, id""",
    "transfers": """
        SELECT id, at, kind, amount_pips, note FROM transfer WHERE customer_id = %(customer)s ORDER BY id""",
    "looks-of-staff": """
        SELECT e.at, p.name, e.subject, e.why FROM audit_entry e JOIN person p ON p.id = e.by_id
         WHERE e.customer_id = %(customer)s AND e.act = 'customer.look' AND NOT EXISTS (
               SELECT FROM support_window w WHERE w.id = (e.after ->> 'window')::int8 AND w.is_abuse_case
                  AND w.closed_at IS NULL AND w.until > %(now)s) ORDER BY e.id""",
}
