// Signs calls with the vendors' own libraries. Standard input is a JSON array of calls, each with a body, a secret, the
// signing key whsec_…, an id and a time in seconds; standard output is the array of their signatures.
import { sign } from "@octokit/webhooks-methods";
import { Webhook } from "standardwebhooks";
import { text } from "node:stream/consumers";

const calls = JSON.parse(await text(process.stdin));
const signatures = calls.map(async ({ body, secret, key, id, time }) => ({
  github: await sign(secret, body),
  standard: new Webhook(key).sign(id, new Date(time * 1000), body),
}));
process.stdout.write(JSON.stringify(await Promise.all(signatures)));
