// npm soap: its client is made of the contract alone.
'use strict';
const soap = require('soap');
const { obey } = require('./obey');

const PORTS = { 1.1: 'SampanSoap', 1.2: 'SampanSoap12' };
let port;

async function open({ wsdl, version }) {
  const client = await soap.createClientAsync(wsdl, { forceSoap12Headers: version === '1.2' });
  port = client.Sampan[PORTS[version]];
  return { operations: Object.keys(client.describe().Sampan[PORTS[version]]) };
}

// node soap writes what it is given in the order it is given.
async function call({ operation, parameters }) {
  return new Promise((resolve) =>
    port[operation](parameters, (error, answer) =>
      resolve(error ? { fault: error.root ? error.root.Envelope.Body.Fault : String(error) } : { answer }),
    ),
  );
}

obey({ open, call });
