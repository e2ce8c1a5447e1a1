package carafe.runtime;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// The contract held by the real runtime.
@SuppressWarnings("NullAway.Init") // JUnit opens it before each test
class LinuxRuntimeTest extends ContainerRuntimeContract {

    private RuntimeStage stage;

    @BeforeEach
    void open() throws Exception {
        stage = new RuntimeStage();
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    @Override
    ContainerRuntime runtime() {
        return stage.runtime;
    }

    @Override
    Bundle bundle(String... program) throws Exception {
        return stage.bundle(TestSpecs.standard(stage.id(), command(program).toArray(new String[0])));
    }

    @Override
    ExecSpec execSpec(String... program) {
        return stage.execSpec(command(program).toArray(new String[0]));
    }

    private static List<String> command(String... program) {
        return switch (program[0]) {
            case "exit" -> List.of("sh", "-c", "exit " + program[1]);
            case "say" -> List.of("echo", program[1]);
            case "sleep" -> List.of("sleep", "1000");
            default -> List.of(program);
        };
    }
}
