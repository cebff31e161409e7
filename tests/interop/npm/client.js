// npm smpp as an ESME: it codes texts and writes headers in its own way.
'use strict';
const fs = require('node:fs');
const smpp = require('smpp');
const { obey } = require('./obey');

const PART_CHARACTERS = { gsm: 150, ucs2: 67 }; // fewer septets than there is room for: an escape pair may end a part
const LONGEST_CHARACTERS = { gsm: 160, ucs2: 70 };
const ALPHANUMERIC = 5, INTERNATIONAL = 1, ISDN = 1;
const CODINGS = { gsm: 0, ucs2: 8 };

const deliveries = [];
let session, hasNews = () => {};

function ask(command, fields) {
  return new Promise((resolve) => session[command](fields, resolve));
}

function onDelivery(pdu) {
  session.send(pdu.response());
  const { udh, message } = pdu.short_message;
  deliveries.push({
    from: pdu.source_addr,
    to: pdu.destination_addr,
    esm_class: pdu.esm_class,
    data_coding: pdu.data_coding,
    text: String(message),
    part: udh && udh.length ? [...udh[0].subarray(2)] : null,
    id: pdu.receipted_message_id || '',
    state: pdu.message_state ?? null,
  });
  hasNews();
}

async function bind({ mode, port, system_id, password, ca }) {
  const options = { host: '127.0.0.1', port, tls: Boolean(ca), ca: ca && fs.readFileSync(ca) };
  session = smpp.connect(options);
  session.on('deliver_sm', onDelivery);
  await new Promise((resolve, reject) => session.on(ca ? 'secureConnect' : 'connect', resolve).on('error', reject));
  const answer = await ask(`bind_${mode}`, { system_id, password });
  return { status: answer.command_status, system_id: answer.system_id };
}

function cut(text, coding) {
  const characters = [...text];
  const parts = [];
  let part = '';
  for (const character of characters) {
    if ((part + character).length > PART_CHARACTERS[coding]) {
      parts.push(part);
      part = '';
    }
    part += character;
  }
  return [...parts, part];
}

function bodies(text, coding, way) {
  if (way === 'payload') return [{ message_payload: { message: text }, data_coding: CODINGS[coding] }];
  if (text.length <= LONGEST_CHARACTERS[coding]) return [{ short_message: text }]; // it detects the coding
  const parts = cut(text, coding);
  if (way === 'sar')
    return parts.map((message, i) => ({
      short_message: message,
      data_coding: CODINGS[coding],
      sar_msg_ref_num: 42,
      sar_total_segments: parts.length,
      sar_segment_seqnum: i + 1,
    }));
  return parts.map((message, i) => ({
    short_message: { udh: Buffer.from([5, 0, 3, 42, parts.length, i + 1]), message },
    data_coding: CODINGS[coding],
  }));
}

async function submit({ to, source, text, coding, way }) {
  const answers = await Promise.all(
    bodies(text, coding, way).map((body) =>
      ask('submit_sm', {
        source_addr_ton: ALPHANUMERIC,
        source_addr: source,
        dest_addr_ton: INTERNATIONAL,
        dest_addr_npi: ISDN,
        destination_addr: to,
        registered_delivery: 1,
        ...body,
      }),
    ),
  );
  return { answers: answers.map((answer) => [answer.command_status, answer.message_id || '']) };
}

async function received({ count }) {
  while (deliveries.length < count) await new Promise((resolve) => (hasNews = resolve));
  return { deliveries };
}

async function enquire() {
  const answer = await ask('enquire_link', {});
  return { status: answer.command_status, command: answer.command };
}

async function query({ message_id, source }) {
  const answer = await ask('query_sm', { message_id, source_addr_ton: ALPHANUMERIC, source_addr: source });
  return { status: answer.command_status, state: answer.message_state };
}

async function unbind() {
  const answer = await ask('unbind', {});
  await new Promise((resolve) => session.close(resolve));
  return { status: answer.command_status, command: answer.command };
}

obey({ bind, submit, received, enquire, query, unbind });
