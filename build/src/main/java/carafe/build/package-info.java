/// Builds images from Dockerfiles. Entry: [Builder], which reads, plans, solves and names the result.
/// Below: `dockerfile` reads, `tree` knows files, `plan` decides what is to be done, `step` does one step,
/// `solve` does all of them, cached and at the same time.
/// Never knows: containers' rows, HTTP, registries; programs run through the port [carafe.build.step.StepRunner].
/// Threads: any number of builds at once, each blocking its caller; an interrupt ends one and leaves nothing.
/// Spec: Dockerfile reference; SECURITY R1, R2, R7, R11. On disk: `build/{steps,mounts,contexts,scratch}` under the state root.
@NullMarked
package carafe.build;

import org.jspecify.annotations.NullMarked;
