package carafe.runtime;

import carafe.spec.Failpoints;
import carafe.spec.oci.RootfsPlan;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// The contract held by the fake.
@SuppressWarnings("NullAway.Init") // JUnit makes both
class MemoryRuntimeTest extends ContainerRuntimeContract {

    @TempDir
    Path directory;

    private MemoryRuntime runtime;
    private int number;

    @BeforeEach
    void open() {
        runtime = new MemoryRuntime(directory, Failpoints.none());
    }

    @Override
    ContainerRuntime runtime() {
        return runtime;
    }

    @Override
    Bundle bundle(String... program) throws Exception {
        String id = "c" + ++number;
        Path home = Files.createDirectories(directory.resolve(id));
        return new Bundle(
                id, TestSpecs.standard(id, program), new RootfsPlan.Directory(directory), home.resolve("run"), home,
                UserRequest.NONE, Stdio.CLOSED, LogOptions.jsonFile(home.resolve("json.log")));
    }

    @Override
    ExecSpec execSpec(String... program) {
        String id = "e" + ++number;
        return new ExecSpec(id, directory.resolve(id), List.of(program), List.of(), "", UserRequest.NONE, false,
                Optional.empty(), false, Stdio.CLOSED);
    }
}
