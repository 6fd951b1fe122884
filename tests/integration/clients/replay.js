// Replays calls with the stock Node client: bytes in, bytes out.
// usage: node replay.js ADDRESS CA_FILE < calls.json > replies.json
'use strict';

const fs = require('fs');
const grpc = require('@grpc/grpc-js');

const [address, caFile] = process.argv.slice(2);
const calls = JSON.parse(fs.readFileSync(0, 'utf8'));
const client = new grpc.Client(address, grpc.credentials.createSsl(fs.readFileSync(caFile)));
const same = (bytes) => bytes;

function send(call) {
  return new Promise((resolve) => {
    const metadata = new grpc.Metadata();
    if (call.token) metadata.set('authorization', 'Bearer ' + call.token);
    const options = { deadline: Date.now() + 20000 };
    const request = Buffer.from(call.request, 'hex');
    client.makeUnaryRequest(call.path, same, same, request, metadata, options, (error, reply) => {
      if (!error) {
        resolve({ code: 0, message: '', details: '', reply: reply.toString('hex') });
        return;
      }
      const details = error.metadata.get('grpc-status-details-bin')[0];
      resolve({
        code: error.code,
        message: error.details,
        details: details ? details.toString('hex') : '',
        reply: '',
      });
    });
  });
}

(async () => {
  const replies = [];
  for (const call of calls) replies.push(await send(call));
  process.stdout.write(JSON.stringify(replies));
  client.close();
})();
