package carafe.bench;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.bench.Samples.Row;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What stands in a table of `bench/results`.
class SamplesTest {

    private static final Row START = new Row("start", "ms", true);
    private static final Row REQUESTS = new Row("requests", "/s", false);

    @Test
    void eachEngineHasItsMedianAndTheFirstItsGain() {
        var samples = new Samples();
        List.of(4.0, 5.0, 3.0).forEach(value -> samples.add(START, "carafe", value));
        samples.add(START, "docker", 100);
        samples.add(REQUESTS, "carafe", 300);
        samples.add(REQUESTS, "docker", 150);

        assertThat(samples.table(List.of("carafe", "docker"))).isEqualTo("""
                | work | carafe | docker | carafe against docker |
                | --- | --- | --- | --- |
                | start | 4.00 ms (3.00–5.00) | 100 ms | 25.0 × |
                | requests | 300 /s | 150 /s | 2.00 × |
                """);
    }

    @Test
    void oneEngineAloneHasNoGain() {
        var samples = new Samples();
        samples.add(START, "carafe", 4);

        assertThat(samples.table(List.of("carafe"))).isEqualTo("""
                | work | carafe |
                | --- | --- |
                | start | 4.00 ms |
                """);
    }

    @Test
    void whatAnEngineDidNotDoIsADash() {
        var samples = new Samples();
        samples.add(START, "docker", 100);

        assertThat(samples.table(List.of("carafe", "docker"))).isEqualTo("""
                | work | carafe | docker | carafe against docker |
                | --- | --- | --- | --- |
                | start | – | 100 ms | – |
                """);
    }
}
