// npm smpp as an SMSC that takes everything, and sends receipts in the form it is told to.
'use strict';
const smpp = require('smpp');
const { obey } = require('./obey');

const DELIVERY_RECEIPT = 4, DELIVERED = 2;
const messages = [], sessions = new Set();
let account, form, throttlesAllButFirst, enquiries = 0, lastId = 41;

function sendReceipt(session, pdu, id) {
  const text = `id:${id} sub:001 dlvrd:001 submit date:2611221500 done date:2611221501 stat:DELIVRD err:000 text:`;
  session.deliver_sm({
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    esm_class: DELIVERY_RECEIPT,
    ...(form === 'tlvs' ? {} : { short_message: text }),
    ...(form === 'text' ? {} : { receipted_message_id: id, message_state: DELIVERED }),
  });
}

function onSubmit(session, pdu) {
  if (throttlesAllButFirst && messages.length)
    return session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
  const id = String((lastId += 1));
  const body = pdu.message_payload || pdu.short_message;
  messages.push({
    to: pdu.destination_addr,
    from: pdu.source_addr,
    text: String(body.message),
    data_coding: pdu.data_coding,
    part: pdu.sar_total_segments
      ? [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum]
      : body.udh && body.udh.length
        ? [...body.udh[0].subarray(2)]
        : null,
  });
  session.send(pdu.response({ message_id: id }));
  if (pdu.registered_delivery & 1) sendReceipt(session, pdu, id);
}

function onSession(session) {
  sessions.add(session);
  session.on('close', () => sessions.delete(session));
  session.on('error', () => {});
  for (const mode of ['transmitter', 'receiver', 'transceiver'])
    session.on(`bind_${mode}`, (pdu) => {
      const known = pdu.system_id === account.system_id && pdu.password === account.password;
      session.send(pdu.response({ command_status: known ? smpp.ESME_ROK : smpp.ESME_RINVPASWD, system_id: 'npm' }));
      if (!known) session.close();
    });
  session.on('submit_sm', (pdu) => onSubmit(session, pdu));
  session.on('query_sm', (pdu) => {
    session.send(pdu.response({ message_id: pdu.message_id, final_date: '', message_state: DELIVERED }));
  });
  session.on('enquire_link', (pdu) => {
    enquiries += 1;
    session.send(pdu.response());
  });
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
}

async function listen({ system_id, password, receipts, throttles }) {
  account = { system_id, password };
  form = receipts;
  throttlesAllButFirst = throttles;
  const server = smpp.createServer(onSession);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: server.address().port, answers_queries: true };
}

async function deliver({ from, to, text }) {
  const [session] = sessions;
  const answer = await new Promise((resolve) =>
    session.deliver_sm({ source_addr: from, destination_addr: to, short_message: text }, resolve),
  );
  return { status: answer.command_status };
}

async function seen() {
  return { messages, enquiries, sessions: sessions.size };
}

obey({ listen, deliver, seen });
