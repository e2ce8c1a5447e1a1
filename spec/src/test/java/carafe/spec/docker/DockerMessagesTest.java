package carafe.spec.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DockerMessagesTest {

    private static Json.Obj json(String text) throws EngineException.Invalid {
        return (Json.Obj) Json.parse(text);
    }

    private static HostConfig host(String text) throws EngineException.Invalid {
        return HostConfig.parse(json(text));
    }

    private static ContainerConfig config(String text) throws EngineException.Invalid {
        return ContainerConfig.parse(json(text));
    }

    @Test
    void keysMatchInAnyCaseUnknownOnesAreDroppedAndMissingOnesFilledIn() throws Exception {
        var document = host("{\"memory\":67108864,\"Unknown\":1,\"CAPADD\":[\"net_admin\"]}").document();
        assertThat(document.number("Memory")).contains(67108864L);
        assertThat(document.texts("CapAdd")).containsExactly("net_admin");
        assertThat(document.fields()).doesNotContainKeys("Unknown", "memory", "Mounts").containsKeys("Binds", "ShmSize");
        assertThat(document.number("ShmSize")).contains(64L << 20);
        assertThat(HostConfig.parse(document).document()).isEqualTo(document);
    }

    @Test
    void whatAContainerSaysIsReadBackTheSame() throws Exception {
        var config = config("{\"image\":\"x\",\"Cmd\":\"one word\",\"Entrypoint\":[\"a\",\"b\"],\"Env\":[\"A=b\"],"
                + "\"Labels\":{\"l\":\"v\"},\"StopTimeout\":3,\"StopSignal\":\"SIGINT\",\"Volumes\":{\"/d\":{}},"
                + "\"ExposedPorts\":{\"80/tcp\":{}},\"HostConfig\":{\"x\":1}}");
        assertThat(config.command().arguments()).contains(List.of("one word"));
        assertThat(config.stop()).isEqualTo(new ContainerConfig.Stop(Optional.of("SIGINT"), Optional.of(3)));
        assertThat(config.volumes()).containsExactly("/d");
        assertThat(config.document().fields()).doesNotContainKey("HostConfig");
        assertThat(ContainerConfig.parse(config.document())).isEqualTo(config);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "{\"Memory\":4096} | Minimum memory limit allowed is 6MB",
        "{\"MemorySwap\":70000000} | You should always set the Memory limit when using Memoryswap limit, see usage",
        "{\"Memory\":67108864,\"MemorySwap\":1000} | Minimum memoryswap limit should be larger than memory limit, see usage",
        "{\"MemorySwappiness\":101} | Invalid value: 101, valid memory swappiness range is 0-100",
        "{\"NanoCpus\":1000000000,\"CpuQuota\":5000} | Conflicting options: Nano CPUs and CPU Quota cannot both be set",
        "{\"CpuPeriod\":10} | CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
        "{\"OomScoreAdj\":2000} | Invalid value 2000, range for oom score adj is [-1000, 1000]",
        "{\"ShmSize\":-1} | SHM size can not be less than 0",
        "{\"CapAdd\":[\"FLY\"]} | invalid CapAdd: unknown capability: \"CAP_FLY\"",
        "{\"RestartPolicy\":{\"Name\":\"often\"}} | invalid restart policy: unknown policy 'often'; use one of 'no', 'always',"
                + " 'on-failure', or 'unless-stopped'",
        "{\"AutoRemove\":true,\"RestartPolicy\":{\"Name\":\"always\"}} | can't create 'AutoRemove' container with restart"
                + " policy",
        "{\"Binds\":[\"/a:/b\",\"/c:/b\"]} | Duplicate mount point: /b",
        "{\"Binds\":[\"/a:b\"]} | invalid volume specification: '/a:b': invalid mount config for type \"bind\": invalid mount path: 'b' mount path must be absolute",
        "{\"Binds\":[\"/a:/b:odd\"]} | invalid mode: odd",
        "{\"Binds\":[\"/a:/b:ro,rw\"]} | invalid mode: ro,rw",
        "{\"Binds\":[\"/a:/b:c:d\"]} | invalid volume specification: '/a:/b:c:d'",
        "{\"Binds\":[\"/a:/\"]} | invalid volume specification: '/a:/': invalid mount config for type \"bind\": invalid specification: destination can't be '/'",
        "{\"Binds\":[\"v:/b:rshared\"]} | invalid volume specification: 'v:/b:rshared': invalid mount config for type \"volume\": field BindOptions must not be specified",
        "{\"Binds\":[\"/a:/b:nocopy\"]} | invalid volume specification: '/a:/b:nocopy': invalid mount config for type \"bind\": field VolumeOptions must not be specified",
        "{\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/x\",\"ReadOnly\":true}]} | invalid mount config for type \"volume\": must not set ReadOnly mode when using anonymous volumes",
        "{\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"v\",\"Target\":\"/x\",\"VolumeOptions\":{\"Subpath\":\"a/../../b\"}}]} | invalid mount config for type \"volume\": subpath must be a relative path within the volume",
        "{\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/v\",\"Target\":\"/x\",\"TmpfsOptions\":{\"SizeBytes\":1}}]} | invalid mount config for type \"bind\": field TmpfsOptions must not be specified",
        "{\"Mounts\":[{\"Type\":\"tape\",\"Target\":\"/x\"}]} | invalid mount config for type \"tape\": mount type unknown",
        "{\"SecurityOpt\":[\"magic=on\"]} | invalid --security-opt: \"magic=on\"",
        "{\"LogConfig\":{\"Type\":\"carrier-pigeon\"}} | logger: no log driver named 'carrier-pigeon' is registered",
        "{\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":9,\"Hard\":3}]} | ulimit soft limit must be less than or equal to hard"
                + " limit: 9 > 3",
        "{\"Memory\":\"big\"} | \"Memory\" must be a number, not \"big\""})
    void wrongHostConfigurationsAreRefusedInDockersWords(String given, String message) {
        assertThatThrownBy(() -> host(given)).isInstanceOf(EngineException.Invalid.class).hasMessage(message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "{\"WorkingDir\":\"x\"} | the working directory 'x' is invalid, it needs to be an absolute path",
        "{\"Env\":[\"=x\"]} | invalid environment variable: =x",
        "{\"StopSignal\":\"NOPE\"} | invalid signal: NOPE",
        "{\"Hostname\":\"a b\"} | invalid hostname format: a b"})
    void wrongContainerConfigurationsAreRefused(String given, String message) {
        assertThatThrownBy(() -> config(given)).isInstanceOf(EngineException.Invalid.class).hasMessage(message);
    }

    @Test
    void capabilitiesAreAddedAndDroppedAsDockerDoes() {
        assertThat(Capabilities.effective(List.of(), List.of())).isEqualTo(Capabilities.DEFAULT).hasSize(14);
        assertThat(Capabilities.effective(List.of("CAP_SYS_ADMIN"), List.of("ALL"))).containsExactly("CAP_SYS_ADMIN");
        assertThat(Capabilities.effective(List.of("ALL"), List.of("CAP_CHOWN")))
                .hasSize(Capabilities.ALL.size() - 1).doesNotContain("CAP_CHOWN");
        assertThat(Capabilities.effective(List.of("CAP_NET_RAW"), List.of("CAP_KILL")))
                .contains("CAP_NET_RAW").doesNotContain("CAP_KILL").hasSize(13);
    }

    @Test
    void securityOptionsAreUnderstoodInBothSpellings() throws Exception {
        var options = host("{\"SecurityOpt\":[\"no-new-privileges\",\"seccomp:unconfined\",\"apparmor=x\"]}")
                .rights().security();
        assertThat(options.noNewPrivileges()).isTrue();
        assertThat(options.seccomp()).contains(new SecurityOptions.Seccomp.Unconfined());
        assertThat(options.appArmor()).contains("x");
        assertThat(host("{\"SecurityOpt\":[\"seccomp={\\\"defaultAction\\\":\\\"SCMP_ACT_ALLOW\\\"}\"]}")
                        .rights().security().seccomp())
                .containsInstanceOf(SecurityOptions.Seccomp.Profile.class);
    }

    @Test
    void mountsComeFromAllThreeFields() throws Exception {
        var mounts = host("{\"Binds\":[\"/a:/b:ro,rslave\",\"data:/v\",\"/anon\"],\"Tmpfs\":{\"/t\":\"size=1m\"},"
                        + "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/s\",\"Target\":\"/m/\",\"ReadOnly\":true},"
                        + "{\"Type\":\"tmpfs\",\"Target\":\"/u\",\"TmpfsOptions\":{\"SizeBytes\":4096,\"Mode\":448}}]}")
                .files().mounts();
        assertThat(mounts).containsExactly(
                new MountRequest.Bind("/a", "/b", true, "rslave", true, MountRequest.Below.ALIKE, "ro,rslave", false),
                new MountRequest.Volume(
                        "data", "/v", false, "", false, false, MountRequest.VolumeWishes.NONE),
                new MountRequest.Volume(
                        "", "/anon", false, "", false, true, MountRequest.VolumeWishes.NONE),
                new MountRequest.Bind("/s", "/m", true, "", false),
                new MountRequest.Tmpfs("/u", List.of("size=4096", "mode=700"), true),
                new MountRequest.Tmpfs("/t", List.of("size=1m"), false));
    }

    @Test
    void logsRotateByDefaultAndAsAsked() throws Exception {
        assertThat(LogConfig.parse(json("{}"))).extracting(LogConfig::maxBytes, LogConfig::maxFiles)
                .containsExactly(20_000_000L, 5);
        assertThat(LogConfig.parse(json("{\"Config\":{\"max-size\":\"10m\",\"max-file\":\"3\"}}")))
                .extracting(LogConfig::maxBytes, LogConfig::maxFiles).containsExactly(10L << 20, 3);
        assertThatThrownBy(() -> LogConfig.parse(json("{\"Config\":{\"max-size\":\"lots\"}}")))
                .hasMessage("invalid size: 'lots'");
    }

    @Test
    void nanoCpusBecomeAQuota() throws Exception {
        assertThat(host("{\"NanoCpus\":500000000}").resources().cpu())
                .extracting(Resources.Cpu::quotaMicros, Resources.Cpu::periodMicros).containsExactly(50_000L, 100_000L);
    }

    @Test
    void anUpdateChangesOnlyWhatItNames() throws Exception {
        var before = host("{\"Memory\":67108864,\"CpuShares\":5,\"RestartPolicy\":{\"Name\":\"always\"}}");
        var after = before.with(json("{\"Memory\":134217728,\"CpuShares\":0,\"RestartPolicy\":{\"Name\":\"\"}}"));
        assertThat(after.resources().memory().limitBytes()).isEqualTo(134217728);
        assertThat(after.resources().cpu().shares()).isEqualTo(5);
        assertThat(after.restart().kind()).isEqualTo(RestartPolicy.Kind.ALWAYS);
    }

    @Test
    void signalsHaveNamesAndNumbers() throws Exception {
        assertThat(Signals.number("KILL")).isEqualTo(9);
        assertThat(Signals.number("sigterm")).isEqualTo(15);
        assertThat(Signals.number("10")).isEqualTo(10);
        assertThat(Signals.number("RTMIN+3")).isEqualTo(37);
        assertThat(Signals.number("SIGRTMAX-1")).isEqualTo(63);
        assertThat(Signals.name(11)).contains("SIGSEGV");
        for (var wrong : List.of("", "0", "65", "SIG", "TERM ME", "99999999999")) {
            assertThatThrownBy(() -> Signals.number(wrong)).as(wrong).hasMessage("invalid signal: " + wrong);
        }
    }

    @Test
    void filtersComeInTwoForms() throws Exception {
        var expected = Map.of("label", Set.of("a=b", "c"));
        assertThat(Filters.parse("{\"label\":{\"a=b\":true,\"c\":true,\"d\":false}}").values()).isEqualTo(expected);
        assertThat(Filters.parse("{\"label\":[\"a=b\",\"c\"]}").values()).isEqualTo(expected);
        var filters = Filters.parse("{\"label\":[\"a=b\",\"c\"]}");
        assertThat(filters.allowsLabels("label", Map.of("a", "b", "c", ""))).isTrue();
        assertThat(filters.allowsLabels("label", Map.of("a", "b"))).isFalse();
        assertThatThrownBy(() -> filters.allowOnly(Set.of("name"))).hasMessage("invalid filter 'label'");
        assertThat(Filters.parse("")).isEqualTo(Filters.NONE);
    }

    @Test
    void timesAreWrittenAsGoWritesThemAndReadInEveryForm() throws Exception {
        assertThat(Timestamps.print(Instant.parse("2026-01-02T03:04:05.120Z"))).isEqualTo("2026-01-02T03:04:05.12Z");
        assertThat(Timestamps.print(Instant.parse("2026-01-02T03:04:05Z"))).isEqualTo("2026-01-02T03:04:05Z");
        assertThat(Timestamps.print(Optional.empty())).isEqualTo("0001-01-01T00:00:00Z");
        assertThat(Timestamps.parse("1700000000.5")).contains(Instant.ofEpochSecond(1700000000, 500_000_000));
        assertThat(Timestamps.parse("2026-01-02T03:04:05+01:00")).contains(Instant.parse("2026-01-02T02:04:05Z"));
        assertThat(Timestamps.parse("2026-01-02")).contains(Instant.parse("2026-01-02T00:00:00Z"));
        assertThat(Timestamps.parse("")).isEmpty();
        for (var wrong : List.of("x", "1e999999999", "2026-99-01", "99999999999999999999")) {
            assertThatThrownBy(() -> Timestamps.parse(wrong)).as(wrong).isInstanceOf(EngineException.Invalid.class);
        }
    }

    @Test
    void eventsCarryOldFieldsForOldClients() {
        var event = new Event(
                Event.Type.CONTAINER, "start", "abc", Map.of("image", "x", "name", "web"), Instant.ofEpochSecond(7, 9));
        assertThat(event.json(true).print()).isEqualTo("{\"status\":\"start\",\"id\":\"abc\",\"from\":\"x\","
                + "\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"abc\",\"Attributes\":{\"image\":\"x\","
                + "\"name\":\"web\"}},\"scope\":\"local\",\"time\":7,\"timeNano\":7000000009}");
        assertThat(event.json(false).fields()).doesNotContainKey("status");
    }

    @Test
    void anExecNeedsACommand() {
        assertThatThrownBy(() -> ExecConfig.parse(json("{\"Cmd\":[]}"))).hasMessage("No exec command specified");
    }

    @Test
    void randomDocumentsAreReadOrRefusedNeverWorse() {
        long seed = Long.getLong("carafe.seed", new Random().nextLong());
        var random = new Random(seed);
        var keys = List.copyOf(hostKeys());
        for (int round = 0; round < 3000; round++) {
            var given = Json.object();
            for (int count = random.nextInt(6); count >= 0; count--) {
                given.put(keys.get(random.nextInt(keys.size())), value(random, 0));
            }
            try {
                HostConfig.parse(given.build());
                ContainerConfig.parse(given.build());
                NetworkingConfig.parse(given.build());
                Filters.parse(given.build().print());
            } catch (EngineException.Invalid e) {
                assertThat(e.getMessage()).as("seed " + seed).isNotBlank();
            }
        }
    }

    private static Set<String> hostKeys() {
        try {
            var keys = new TreeSet<>(host("{}").document().fields().keySet());
            keys.addAll(config("{}").document().fields().keySet());
            keys.addAll(Set.of("Mounts", "Tmpfs", "Sysctls", "Init", "Healthcheck", "StopSignal", "EndpointsConfig"));
            return keys;
        } catch (EngineException.Invalid e) {
            throw new AssertionError(e);
        }
    }

    private static Json value(Random random, int depth) {
        return switch (random.nextInt(depth > 3 ? 5 : 7)) {
            case 0 -> Json.of(random.nextLong());
            case 1 -> Json.of(random.nextInt(200) - 100);
            case 2 -> Json.of(random.nextBoolean());
            case 3 -> Json.of(List.of("", "/a:/b", "/", "a=b", "x:y:z", "\0", "CAP_KILL", "seccomp={", "10m", "1:2").get(
                    random.nextInt(10)));
            case 4 -> Json.NULL;
            case 5 -> Json.ofAll(List.of(value(random, depth + 1), value(random, depth + 1)));
            default -> Json.object()
                    .put(List.of("Name", "Type", "Target", "Source", "Config", "/x").get(random.nextInt(6)),
                            value(random, depth + 1))
                    .build();
        };
    }
}
