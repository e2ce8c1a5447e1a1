/// Who may do what: users and their passwords, tokens, rights by namespace, and the one point that decides.
///
/// Entry types: [Authenticator] says who asks, [Gate] whether he may. Denied is what nothing allows.
/// It must never know HTTP or what a repository holds.
/// Any thread. Password checks block on the processor and are few at a time.
/// Spec: Docker's token authentication (scopes, /token), RFC 7519 for the form of our tokens, RFC 7617 for Basic.
@NullMarked
package carafe.hub.access;

import org.jspecify.annotations.NullMarked;
