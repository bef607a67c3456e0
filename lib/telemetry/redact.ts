/** What looks like a credential wherever it stands: user information in URLs, GitHub and AWS tokens, bearer headers, presigned URLs. */
const shapes: readonly (readonly [RegExp, string])[] = [
  [/(:\/\/)[^/\s"'@]+@/g, "$1[secret]@"],
  // An installation's token is `ghs_`, the App's id and a signed token: dots, dashes and underscores are part of it.
  [/\bgh[pousr]_[A-Za-z0-9_.-]{20,}/g, "[secret]"],
  [/\bgithub_pat_[A-Za-z0-9_]{20,}\b/g, "[secret]"],
  [/\bk8s-aws-v1\.[A-Za-z0-9_-]+/g, "[secret]"],
  [/\b(Bearer|Basic) [A-Za-z0-9._~+/=-]{8,}/gi, "$1 [secret]"],
  // What a message was cut off in is known by its beginning alone.
  [/(:\/\/[^/\s"'@:]*:)[^/\s"'@]+(?=\.\.\.)/g, "$1[secret]"],
  [/\b(?:gh[pousr]_|github_pat_|k8s-aws-v1\.)[A-Za-z0-9_-]+(?=\.\.\.)/g, "[secret]"],
  [/\b(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s"']+/gi, "$1[secret]"],
];

/** Replaces everything that looks like a credential by `[secret]`; every sink for text goes through it. */
export function redact(text: string): string {
  let clean = text;
  for (const [shape, replacement] of shapes) clean = clean.replace(shape, replacement);
  return clean;
}
