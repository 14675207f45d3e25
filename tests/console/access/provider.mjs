// The certified provider of npm's oidc-provider, for tests: everybody is let in at once, as the user of the scope.
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.argv[2]}/`);
const { Provider } = await import(pathToFileURL(require.resolve("oidc-provider")).href);
const redirectUri = process.argv[3];

const server = createServer((request, response) => answer(request, response));
let answer = () => {};
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "vigie", client_secret: "a secret of thirty-two characters", redirect_uris: [redirectUri] }],
    claims: { openid: ["sub"], profile: ["preferred_username", "roles"] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: "Astreinte", roles: ["crisis-cell"] }),
    }),
  });
  const protocol = provider.callback();
  answer = async (request, response) => {
    if (!request.url.startsWith("/interaction/")) return protocol(request, response);
    const { prompt, params } = await provider.interactionDetails(request, response);
    if (prompt.name === "login") {
      return provider.interactionFinished(request, response, { login: { accountId: "user-1" } });
    }
    const grant = new provider.Grant({ accountId: "user-1", clientId: params.client_id });
    grant.addOIDCScope("openid profile");
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  };
  console.log(issuer);
});
