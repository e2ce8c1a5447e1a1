package carafe.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.SeccompSpec;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SeccompProfileTest {

    private static List<String> allowed(SeccompSpec spec) {
        return spec.syscalls().stream()
                .filter(rule -> rule.action().equals("SCMP_ACT_ALLOW") && rule.args().isEmpty())
                .flatMap(rule -> rule.names().stream()).toList();
    }

    @Test
    void capabilitiesOpenTheirCalls() throws Exception {
        var plain = allowed(SeccompProfile.resolve(SeccompProfile.standard(), StandardContainer.CAPABILITIES));
        var admin = allowed(SeccompProfile.resolve(SeccompProfile.standard(), List.of("CAP_SYS_ADMIN")));
        assertThat(plain).contains("openat", "chroot", "ptrace").doesNotContain("mount", "bpf", "clone3", "kexec_load");
        assertThat(admin).contains("mount", "bpf", "clone3").doesNotContain("chroot");
    }

    @Test
    void clone3AnswersEnosysWithoutAdmin() throws Exception {
        var spec = SeccompProfile.resolve(SeccompProfile.standard(), StandardContainer.CAPABILITIES);
        assertThat(spec.defaultAction()).isEqualTo("SCMP_ACT_ERRNO");
        assertThat(spec.syscalls()).anySatisfy(rule -> {
            assertThat(rule.names()).contains("clone3");
            assertThat(rule.errnoRet()).contains(38L);
        });
    }

    @Test
    void resolvedProfileIsCompilable() throws Exception {
        var spec = SeccompProfile.resolve(SeccompProfile.standard(), StandardContainer.CAPABILITIES);
        assertThat(SeccompFilters.profile(spec).rules()).hasSameSizeAs(spec.syscalls());
        assertThat(SeccompSpec.fromJson(spec.toJson())).isEqualTo(spec);
    }

    @Test
    void aProfileThatNoFilterCanHoldIsRefusedBeforeItIsCompiled() throws Exception {
        var fits = SeccompFilters.profile(comparing(4096));
        assertThat(fits.comparisons()).isEqualTo(4096);
        assertThatThrownBy(() -> SeccompFilters.profile(comparing(6000)))
                .isInstanceOfSatisfying(StartFailure.class, refused -> assertThat(refused.toEngineException())
                        .isInstanceOf(EngineException.Invalid.class))
                .hasMessageContaining("compares arguments 6000 times, and a filter has at most 4096 instructions");
    }

    private static SeccompSpec comparing(int times) throws Exception {
        String rules = IntStream.range(0, times)
                .mapToObj(value -> "{\"names\":[\"personality\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,"
                        + "\"value\":" + value + ",\"op\":\"SCMP_CMP_EQ\"}]}")
                .collect(Collectors.joining(","));
        return SeccompProfile.resolve((Json.Obj) Json.parse(
                "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[" + rules + "]}"), List.of());
    }

    @Test
    void unknownWordsAreRefused() throws Exception {
        var json = (Json.Obj) Json.parse("{\"defaultAction\":\"SCMP_ACT_MAYBE\"}");
        var spec = SeccompProfile.resolve(json, List.of());
        assertThatThrownBy(() -> SeccompFilters.profile(spec)).hasMessageContaining("unknown action \"SCMP_ACT_MAYBE\"");
        var bad = (Json.Obj) Json.parse("{\"syscalls\":[{\"names\":[\"x\"],\"args\":[{\"index\":6}]}]}");
        assertThatThrownBy(() -> SeccompProfile.resolve(bad, List.of())).isInstanceOf(EngineException.Invalid.class);
        var kernel = (Json.Obj) Json.parse("{\"syscalls\":[{\"names\":[\"x\"],\"includes\":{\"minKernel\":\"new\"}}]}");
        assertThatThrownBy(() -> SeccompProfile.resolve(kernel, List.of())).hasMessageContaining("no kernel version");
    }
}
