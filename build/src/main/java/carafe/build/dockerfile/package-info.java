/// The Dockerfile language: from text to instructions, each with the lines it stands on, and the substitution of
/// variables. Entry: [Dockerfile#parse]; [Expansion] for what is substituted when a stage is planned.
/// Never knows: images, files, stages' results, what an instruction does. Pure; reads no file.
/// Threads: any; all is immutable. Input is hostile: lengths, counts and work are bounded.
/// Spec: Dockerfile reference (frontend 1.x) and how Docker's builders read what the reference leaves open.
@NullMarked
package carafe.build.dockerfile;

import org.jspecify.annotations.NullMarked;
