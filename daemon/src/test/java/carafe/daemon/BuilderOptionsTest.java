package carafe.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException.Invalid;
import carafe.spec.Json;
import carafe.spec.build.CachePrune;
import carafe.spec.build.CachePrune.Space;
import carafe.spec.build.CacheRules;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// `builder` of daemon.json: what Docker's documentation shows, older spellings, and what is refused.
class BuilderOptionsTest {

    private static final long GIB = 1L << 30;

    private static BuilderOptions read(String builder) throws Invalid {
        return BuilderOptions.read(Json.parse(builder), Instant.parse("2026-01-02T00:00:00Z"));
    }

    private static List<CachePrune> policy(String rules) throws Invalid {
        return read("{\"gc\":{\"policy\":" + rules + "}}").rules().policy().orElseThrow();
    }

    private static CachePrune kinds(Optional<Duration> unusedFor, Space space, String... kinds) {
        return new CachePrune(unusedFor, space,
                new CachePrune.Kept(List.of(), List.of(kinds), List.of(), Optional.empty(), Optional.empty()), false);
    }

    @Test
    void withoutAWordTheUsualRulesStand() throws Exception {
        for (String same : List.of("{}", "{\"gc\":{}}", "{\"gc\":{\"enabled\":true}}", "{\"GC\":{\"Enabled\":true}}",
                "{\"gc\":{\"defaultKeepStorage\":\"\"}}")) {
            assertThat(read(same).rules()).as(same).isEqualTo(CacheRules.USUAL);
        }
        assertThat(read("{\"gc\":{\"enabled\":false}}").rules().on(GIB)).isEmpty();
    }

    @Test
    void theUsualSpaceHasAnOldNameAndThreeNewOnes() throws Exception {
        assertThat(read("{\"gc\":{\"defaultKeepStorage\":\"20GB\"}}").rules().usual()).isEqualTo(new Space(20 * GIB, 0, 0));
        assertThat(read("{\"gc\":{\"defaultKeepStorage\":\"1GB\",\"defaultReservedSpace\":\"2gib\",\"defaultMaxUsedSpace\":3000,"
                + "\"defaultMinFreeSpace\":\"4k\"}}").rules().usual()).isEqualTo(new Space(2 * GIB, 3000, 4096));
    }

    @Test
    void rulesStandInTheirOrder() throws Exception {
        assertThat(policy("""
                [{"keepStorage":"10GB","filter":["unused-for=2200h"]},
                 {"reservedSpace":"0","maxUsedSpace":"50GB","minFreeSpace":"5GB","keepDuration":"48h"},
                 {"KeepStorage":"100GB","All":true}]"""))
                .containsExactly(
                        kinds(Optional.of(Duration.ofHours(2200)), new Space(10 * GIB, 0, 0)),
                        kinds(Optional.of(Duration.ofHours(48)), new Space(0, 50 * GIB, 5 * GIB)),
                        new CachePrune(Optional.empty(), new Space(100 * GIB, 0, 0), CachePrune.Kept.ANY, true));
        assertThat(policy("[]")).isEmpty();
    }

    @Test
    void aFilterHasEverySpellingThatDockerHadForIt() throws Exception {
        var meant = kinds(Optional.of(Duration.ofHours(48)), new Space(GIB, 0, 0), "source.local", "exec.cachemount");
        for (String filter : List.of(
                "[\"unused-for=48h\",\"type=source.local\",\"type=exec.cachemount\"]",
                "[\"until=48h\",\"type==source.local,type==exec.cachemount\"]",
                "[\" Unused-For = 48h\",\"type=source.local,type=exec.cachemount\"]",
                "{\"unused-for\":{\"48h\":true},\"type\":{\"source.local\":true,\"exec.cachemount\":true,\"regular\":false}}")) {
            assertThat(policy("[{\"keepStorage\":\"1GB\",\"filter\":" + filter + "}]")).as(filter).containsExactly(meant);
        }
    }

    @Test
    void aSpanIsATextANumberOfSecondsOrAListOfOne() throws Exception {
        for (String span : List.of("\"1440h\"", "5184000", "[\"1440h\"]")) {
            assertThat(policy("[{\"keepDuration\":" + span + "}]")).as(span).extracting(CachePrune::unusedFor)
                    .containsExactly(Optional.of(Duration.ofDays(60)));
        }
    }

    @Test
    void aRuleThatSaysNoSpaceHasTheUsualOne() throws Exception {
        assertThat(read("{\"gc\":{\"defaultKeepStorage\":\"20GB\",\"policy\":[{\"all\":true},{\"keepStorage\":\"0\"}]}}").rules()
                .policy().orElseThrow()).extracting(CachePrune::space).containsExactly(new Space(20 * GIB, 0, 0), Space.NONE);
    }

    @Test
    void whatIsWrongIsNamed() {
        refused("true", "\"builder\" must be an object, not true");
        refused("{\"gx\":{}}", "unknown key \"builder.gx\"; the nearest is \"builder.gc\"");
        refused("{\"gc\":{\"keepStorage\":\"1GB\"}}",
                "unknown key \"builder.gc.keepStorage\"; the nearest is \"builder.gc.defaultKeepStorage\"");
        refused("{\"gc\":{\"enabled\":\"yes\"}}", "\"builder.gc.enabled\" must be true or false, not \"yes\"");
        refused("{\"gc\":{\"defaultKeepStorage\":\"much\"}}", "\"builder.gc.defaultKeepStorage\": invalid size: 'much'");
        refused("{\"gc\":{\"defaultKeepStorage\":-1}}", "\"builder.gc.defaultKeepStorage\": invalid size: -1; \"20GB\" is meant");
        refused("{\"gc\":{\"policy\":{}}}", "\"builder.gc.policy\" must be a list of rules, not {}");
        refusedRule("1", "\"builder.gc.policy[0]\" must be an object, not 1");
        refusedRule("{\"keepStorge\":\"1GB\"}",
                "unknown key \"builder.gc.policy[0].keepStorge\"; the nearest is \"builder.gc.policy[0].keepStorage\"");
        refusedRule("{\"maxUsedSpace\":\"1x\"}", "\"builder.gc.policy[0].maxUsedSpace\": invalid suffix: 'x'");
        refusedRule("{\"all\":1}", "\"builder.gc.policy[0].all\" must be true or false, not 1");
        refusedRule("{\"filter\":[\"unused\"]}",
                "\"builder.gc.policy[0].filter\": invalid filter 'unused': NAME=VALUE is meant, as unused-for=48h");
        refusedRule("{\"filter\":[\"parent=a\"]}", "\"builder.gc.policy[0].filter\": invalid filter 'parent'");
        refusedRule("{\"filter\":[\"until=soon\"]}", "\"builder.gc.policy[0].filter\": invalid time: soon");
        refusedRule("{\"filter\":[1]}", "\"builder.gc.policy[0].filter\": invalid filter: 1 is no text such as \"unused-for=48h\"");
        refusedRule("{\"keepDuration\":\"2026-01-01\"}",
                "\"builder.gc.policy[0].keepDuration\": invalid span of time \"2026-01-01\": \"48h\" is meant");
        refusedRule("{\"keepDuration\":\"1h\",\"filter\":[\"until=1h\"]}",
                "\"builder.gc.policy[0].keepDuration\" says what the filter says too; leave one of them out");
    }

    private static void refused(String builder, String message) {
        assertThatThrownBy(() -> read(builder)).isInstanceOf(Invalid.class).hasMessage(message);
    }

    private static void refusedRule(String rule, String message) {
        refused("{\"gc\":{\"policy\":[" + rule + "]}}", message);
    }

    @Test
    void whatElseDockerKnowsIsToldToHaveNoEffect() throws Exception {
        assertThat(read("{\"gc\":{},\"Entitlements\":{\"network-host\":true},\"history\":{}}").withoutEffect())
                .containsExactly("builder.Entitlements", "builder.history");
    }
}
