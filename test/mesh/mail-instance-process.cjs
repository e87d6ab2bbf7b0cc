'use strict';

/** One instance in a process of its own, which can be killed and frozen: `node mail-instance-process.cjs <port>`. It says `ready`. */
const { Server, ServerCredentials } = require('@grpc/grpc-js');
const { HealthImplementation } = require('grpc-health-check');

const bytes = (message) => message;
const server = new Server();
const method = { requestStream: false, responseStream: false, requestSerialize: bytes, requestDeserialize: bytes };
const getEmail = { ...method, responseSerialize: bytes, responseDeserialize: bytes, path: '/sky_genesis.MailService/GetEmail' };
server.addService({ getEmail }, { getEmail: (_call, answer) => answer(null, Buffer.alloc(0)) });
new HealthImplementation({ 'sky_genesis.MailService': 'SERVING' }).addToServer(server);
server.bindAsync(`127.0.0.1:${process.argv[2]}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  console.log('ready');
});
