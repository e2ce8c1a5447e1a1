package carafe.spec.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.oci.RuntimeSpec.IdMapping;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdMapsTest {

    private static final IdMaps MAPS = new IdMaps(
            List.of(new IdMapping(0, 1000, 10), new IdMapping(10, 5, 1)), List.of(new IdMapping(0, 2000, 10)));

    @Test
    void idsAreFoundInBothDirections() {
        assertThat(MAPS.hostUid(9)).isEqualTo(1009);
        assertThat(MAPS.hostUid(10)).isEqualTo(5);
        assertThat(MAPS.hostUid(11)).isEqualTo(-1);
        assertThat(MAPS.hostGid(10)).isEqualTo(-1);
        assertThat(MAPS.containerUid(5)).isEqualTo(10);
        assertThat(MAPS.containerUid(1010)).isEqualTo(-1);
        assertThat(MAPS.containerGid(2003)).isEqualTo(3);
        assertThat(IdMaps.NONE.hostUid(7)).isEqualTo(7);
        assertThat(IdMaps.NONE.containerGid(7)).isEqualTo(7);
    }

    @Test
    void theKernelAndPeopleReadThem() throws Exception {
        assertThat(MAPS.uidLines()).isEqualTo("0 1000 10\n10 5 1\n");
        assertThat(MAPS.gidLines()).isEqualTo("0 2000 10\n");
        assertThat(IdMaps.parse(IdMaps.text(new IdMapping(0, 1000, 10)))).isEqualTo(new IdMapping(0, 1000, 10));
        MAPS.check();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1", "0:1", "0:1:2:3", "a:1:2", "0:1:99999999999999999999"})
    void whatIsNoRangeIsRefused(String text) {
        assertThatThrownBy(() -> IdMaps.parse(text)).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("is no range of ids");
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1:0:1", "0:-1:1", "0:1:0", "0:4294967290:10", "0:9223372036854775807:10"})
    void rangesBeyondAllIdsAreRefused(String text) throws Exception {
        var map = List.of(IdMaps.parse(text));
        assertThatThrownBy(() -> new IdMaps(map, map).check()).isInstanceOf(EngineException.Invalid.class);
    }
}
