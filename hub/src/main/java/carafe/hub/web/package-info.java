/// What people see: pages to find images and copy the command that pulls them, and search for programs.
///
/// Entry type: [Web].
/// It only reads, shows only what the one who asks may pull, and trusts nothing that was pushed: names, labels and
/// annotations are text.
/// Each request runs on its connection's virtual thread. Nothing is loaded from elsewhere.
/// Spec: Docker's `/v1/search`; HTML living standard; CSP level 3.
@NullMarked
package carafe.hub.web;

import org.jspecify.annotations.NullMarked;
