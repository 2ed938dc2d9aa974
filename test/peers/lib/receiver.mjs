// A webhook receiver as any Node program would write it: keeps what it gets and answers 204 unless told otherwise.
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";

/**
 * Starts a receiver on a free port. answer maps a delivery (headers, body as a Buffer, event parsed from it) to a status.
 * until waits for a delivery after which done, given all of them, is true.
 */
export async function startReceiver(t, answer = () => 204) {
  const deliveries = [];
  const arrivals = new EventEmitter();
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const delivery = { method: request.method, headers: request.headers, body, event: JSON.parse(body) };
    deliveries.push(delivery);
    response.writeHead(answer(delivery)).end();
    arrivals.emit("delivery");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  return {
    url: `http://127.0.0.1:${server.address().port}/events`,
    deliveries,
    async until(done) {
      while (!done(deliveries)) await once(arrivals, "delivery", { signal: t.signal });
    },
  };
}
