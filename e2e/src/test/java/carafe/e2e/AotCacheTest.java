package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The AOT caches of the assembled layout are really used: with `-XX:AOTMode=on` the JVM refuses to start on a cache
/// that does not fit its JDK, class path or options.
class AotCacheTest {

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
