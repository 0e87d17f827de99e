// SPDX-License-Identifier: Apache-2.0

// One socket serves a thousand ports, in this process's network namespace. As root, Linux 5.9:
//   node --conditions=skep-source examples/sk-lookup-steering/sk-lookup-steering.ts [FIRST LAST]
import { once } from "node:events";
import { createServer } from "node:net";
import { KernelEngine } from "@skep/kernel";
import { untilInterrupted } from "../until-interrupted.ts";
import { loadSkLookupSteering } from "./sk-lookup-steering.bpf.ts";

const [first_port = 7000, last_port = 7999] = process.argv.slice(2).map(Number);

using engine = new KernelEngine();
using app = loadSkLookupSteering({ engine, variables: { first_port, last_port } });

const server = createServer((socket) => socket.end(`you asked for port ${socket.localPort}\n`));
server.listen(0, "127.0.0.1");
await once(server, "listening");
// A sockmap takes a socket by its descriptor, which Node keeps on its handle without telling in its types.
const { _handle: handle } = server as unknown as { readonly _handle: { readonly fd: number } };
app.maps.target.update(0, handle.fd);

using _link = app.programs.steer.attach({ netns: "/proc/self/ns/net" });
await untilInterrupted(`ports ${first_port} to ${last_port} are served`);
server.close();
