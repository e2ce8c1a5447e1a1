package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The AOT caches of the assembled layout are really used: with `-XX:AOTMode=on` the JVM refuses to start on a cache
/// that does not fit its JDK, class path or options. And the launchers that start on them.
class AotCacheTest {

    /// By its path, by links to it, to its directory and to the whole, by PATH, and where a blank is in the path.
    @ParameterizedTest
    @ValueSource(strings = {"carafe", "carafed"})
    void theLaunchersFindTheirHome(String name, @TempDir Path place) throws Exception {
        Path home = Tools.ROOT.resolve("packaging/target/carafe");
        Files.createSymbolicLink(place.resolve(name), home.resolve("bin").resolve(name));
        Files.createSymbolicLink(place.resolve("bin"), home.resolve("bin"));
        Files.createSymbolicLink(Files.createDirectory(place.resolve("a b")).resolve("c"), home);
        for (var script : List.of(home + "/bin/" + name + " --version", place + "/" + name + " --version",
                place + "/bin/" + name + " --version", "'" + place + "/a b/c/bin/" + name + "' --version",
                "cd " + home + "/bin && ./" + name + " --version", "PATH=" + place + "/bin:$PATH; " + name + " --version")) {
            assertThat(Command.of("sh", "-c", script).within(Duration.ofSeconds(60)).run().good().out()).as(script)
                    .contains("0.1.0");
        }
    }

    @ParameterizedTest
    @CsvSource({"cli, carafe, carafe.cli.Main", "daemon, carafed, carafe.daemon.Main"})
    void theCacheFitsTheLaunchersWords(String kind, String name, String main) throws Exception {
        String home = Tools.ROOT.resolve("packaging/target/carafe").toString();
        String script = "home=" + home + "; . $home/bin/java-options; exec $java $" + kind
                + "_options -XX:AOTMode=on -XX:AOTCache=$home/aot/" + name + ".aot -Dcarafe.home=$home -cp \"$" + kind
                + "_class_path\" " + main + " --version";
        Outcome outcome = Command.of("sh", "-c", script).within(Duration.ofSeconds(60)).run();
        assertThat(outcome.good().out()).contains("0.1.0");
    }
}
