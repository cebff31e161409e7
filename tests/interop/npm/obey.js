// How a peer's program is told what to do: a line of JSON in, a line of JSON out (see obey.py).
'use strict';
const readline = require('node:readline');

class Cannot extends Error {}

async function answer(commands, name, asked) {
  try {
    if (!commands[name]) throw new Cannot(`has no ${name}`);
    return await commands[name](asked);
  } catch (error) {
    return error instanceof Cannot ? { cannot: error.message } : { error: String(error) };
  }
}

async function obey(commands) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { do: name, ...asked } = JSON.parse(line);
    process.stdout.write(JSON.stringify(await answer(commands, name, asked)) + '\n');
  }
  process.exit(0);
}

module.exports = { Cannot, obey };
