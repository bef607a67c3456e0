/**
 * In the place of the AWS clients' own search for credentials (infra/esbuild.yml): Lambda gives a function its role's credentials
 * in its environment, and nowhere else. The search through profiles, web identities and instance metadata is a third of the
 * webhook's bundle.
 */
export const defaultProvider = () => (): Promise<EnvironmentCredentials> => {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = process.env;
  if (accessKeyId && secretAccessKey) {
    return Promise.resolve({ accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) });
  }
  const error = new Error(
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set: Lambda sets them to the credentials of the function's role",
  );
  return Promise.reject(Object.assign(error, { name: "CredentialsProviderError" }));
};

interface EnvironmentCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}
