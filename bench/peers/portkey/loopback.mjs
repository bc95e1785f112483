// Loaded before the gateway, which would listen on every address of the machine.
import { Server } from 'node:net';

const listen = Server.prototype.listen;
Server.prototype.listen = function onLoopback(...args) {
  const [first] = args;
  if (typeof first === 'object' && first !== null && 'port' in first) first.host = '127.0.0.1';
  else if (typeof first === 'number') args.splice(1, typeof args[1] === 'string' ? 1 : 0, '127.0.0.1');
  return listen.apply(this, args);
};
