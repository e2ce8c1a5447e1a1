package carafe.image;

class HostileErofsFileLayersTest extends HostileLayerContract {

    HostileErofsFileLayersTest() {
        super(UnpackedLayer.Form.FILE);
    }
}
