package carafe.e2e;

import java.nio.file.Files;
import java.nio.file.Path;

/// Where the fetched tools and what we build lie. `e2e/fetch` has put the tools there before any test runs.
final class Tools {

    static final Path ROOT = Path.of(System.getProperty("carafe.root"));
    static final Path E2E = ROOT.resolve("e2e");

    private static final Path FETCHED = E2E.resolve("target/tools");

    private Tools() {}

    /// A file of the package tree `name` of packages.list.
    static Path fetched(String name, String path) {
        Path file = FETCHED.resolve(name).resolve(path);
        if (!Files.exists(file)) {
            throw new AssertionError(file + " is missing; e2e/fetch brings it");
        }
        return file;
    }

    /// A program of the layout that packaging has assembled: `carafe` or `carafed`.
    static Path ours(String program) {
        Path file = ROOT.resolve("packaging/target/carafe/bin").resolve(program);
        if (!Files.isExecutable(file)) {
            throw new AssertionError(file + " is missing; mvn package assembles it");
        }
        return file;
    }
}
