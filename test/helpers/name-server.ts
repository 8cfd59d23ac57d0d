/** A name server of the tests' own, whose names exist nowhere else. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4, isIPv6 } from 'node:net';
import packet from 'dns-packet';

/** What is said of a name: addresses of either family, another name that it stands for, a refusal, or nothing at all. */
export type Said = readonly string[] | { readonly cname: string } | 'SERVFAIL' | 'NXDOMAIN' | 'silence';

export interface NameServer {
  /** Address and port, as resolvers take them. */
  readonly address: string;
  /** Every question, as `A images.test`. */
  readonly asked: string[];
  close(): Promise<void>;
}

/** @param say what is answered about a name, each time that it is asked for. */
export async function startNameServer(say: (name: string, type: 'A' | 'AAAA') => Said): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (message, { port, address }) => {
    const { id, questions = [] } = packet.decode(message);
    const [question] = questions;
    if (question === undefined || (question.type !== 'A' && question.type !== 'AAAA')) return;
    asked.push(`${question.type} ${question.name}`);
    const answers: packet.Answer[] = [];
    let code = 0;
    const add = (name: string, type: 'A' | 'AAAA', depth = 0): void => {
      const said = say(name, type);
      if (said === 'silence') code = -1;
      else if (said === 'SERVFAIL') code = 2;
      else if (said === 'NXDOMAIN') code = 3;
      else if ('cname' in said) {
        answers.push({ type: 'CNAME', name, ttl: 0, data: said.cname });
        if (depth < 5) add(said.cname, type, depth + 1);
      } else {
        const ofType = said.filter(type === 'A' ? isIPv4 : isIPv6);
        answers.push(...ofType.map((data): packet.Answer => ({ type, name, ttl: 0, data })));
      }
    };
    add(question.name, question.type);
    if (code < 0) return;
    const flags = packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE | code;
    socket.send(packet.encode({ type: 'response', id: id ?? 0, flags, questions, answers }), port, address);
  });
  await once(socket.bind(0, '127.0.0.1'), 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    async close() {
      await once(socket.close(), 'close');
    },
  };
}
