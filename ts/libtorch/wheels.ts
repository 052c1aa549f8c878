import { parseWheelName, type WheelName } from './wheel-name.js';

/** Flavour of an installation: without or with CUDA. */
export type Flavour = 'cpu' | 'cuda';

/** A wheel of the installed release, as the package index has it. */
export interface PinnedWheel extends WheelName {
  readonly file: string;
  /** Size of the download. */
  readonly bytes: number;
  /** Size on disk of the files that are installed; 0 if a flavour does not need the wheel. */
  readonly unpacked: Readonly<Record<Flavour, number>>;
  readonly sha256: string;
}

/**
 * Wheels of torch 2.11.0 and of the NVIDIA libraries that it is linked with (those of cuda-toolkit 13.0.2),
 * by platform and architecture of Node: file name, size, installed size for CPU and for CUDA, SHA-256. Sizes
 * and sums are those of the files on PyPI.
 */
const TABLE: Readonly<Record<string, string>> = {
  'linux-x64': `
    torch-2.11.0-cp312-cp312-manylinux_2_28_x86_64.whl
      530712279 492134567 1006469828 0f68f4ac6d95d12e896c3b7a912b5871619542ec54d3649cf48cc1edd4dd2756
    nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl
      10715597 4152208 43948952 4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8
    nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl
      2243632 704288 704288 7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548
    nvidia_cublas-13.1.0.3-py3-none-manylinux_2_27_x86_64.whl
      423133236 0 596511080 ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171
    nvidia_cuda_nvrtc-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl
      90215200 0 227912592 ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575
    nvidia_cudnn_cu13-9.19.0.56-py3-none-manylinux_2_27_x86_64.whl
      366066321 0 493410224 d20e1734305e9d68889a96e3f35094d733ff1f83932ebe462753973e53a572bf
    nvidia_cufft-12.0.0.61-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl
      214085489 0 287534056 6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3
    nvidia_cufile-1.15.1.6-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl
      1223672 0 3214120 08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44
    nvidia_curand-10.4.0.35-py3-none-manylinux_2_27_x86_64.whl
      59544258 0 132698328 1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc
    nvidia_cusolver-12.0.4.66-py3-none-manylinux_2_27_x86_64.whl
      200941980 0 245109712 0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112
    nvidia_cusparse-12.6.3.3-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl
      145942937 0 162565256 2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b
    nvidia_cusparselt_cu13-0.8.0-py3-none-manylinux2014_x86_64.whl
      169884119 0 233613145 25e30a8a7323935d4ad0340b95a0b69926eee755767e8e0b1cf8dd85b197d3fd
    nvidia_nccl_cu13-2.28.9-py3-none-manylinux_2_18_x86_64.whl
      196493177 0 217995896 e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42
    nvidia_nvjitlink-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl
      40713933 0 98806736 13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b
    nvidia_nvshmem_cu13-3.4.5-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl
      60412546 0 45753096 290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80
  `,
  'linux-arm64': `
    torch-2.11.0-cp312-cp312-manylinux_2_28_aarch64.whl
      419731115 333469685 755252714 f99924682ef0aa6a4ab3b1b76f40dc6e273fca09f367d15a524266db100a723f
    nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_aarch64.whl
      10310827 3850656 42950448 796bd679890ee55fb14a94629b698b6db54bcfd833d391d5e94017dd9d7d3151
    nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl
      2261060 707752 707752 ef9bcbe90493a2b9d810e43d249adb3d02e98dd30200d86607d8d02687c43f55
    nvidia_cublas-13.1.0.3-py3-none-manylinux_2_27_aarch64.whl
      542851226 0 692576632 c86fc7f7ae36d7528288c5d88098edcb7b02c633d262e7ddbb86b0ad91be5df2
    nvidia_cuda_nvrtc-13.0.88-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl
      43015449 0 103886400 d27f20a0ca67a4bb34268a5e951033496c5b74870b868bacd046b1b8e0c3267b
    nvidia_cudnn_cu13-9.19.0.56-py3-none-manylinux_2_27_aarch64.whl
      433781201 0 533636776 6ed29ffaee1176c612daf442e4dd6cfeb6a0caa43ddcbeb59da94953030b1be4
    nvidia_cufft-12.0.0.61-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl
      214053554 0 284199056 2708c852ef8cd89d1d2068bdbece0aa188813a0c934db3779b9b1faa8442e5f5
    nvidia_cufile-1.15.1.6-py3-none-manylinux_2_27_aarch64.whl
      1136992 0 3049848 bdc0deedc61f548bddf7733bdc216456c2fdb101d020e1ab4b88d232d5e2f6d1
    nvidia_curand-10.4.0.35-py3-none-manylinux_2_27_aarch64.whl
      61962106 0 147889368 133df5a7509c3e292aaa2b477afd0194f06ce4ea24d714d616ff36439cee349a
    nvidia_cusolver-12.0.4.66-py3-none-manylinux_2_27_aarch64.whl
      223467760 0 268142552 02c2457eaa9e39de20f880f4bd8820e6a1cfb9f9a34f820eb12a155aa5bc92d2
    nvidia_cusparse-12.6.3.3-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl
      162155568 0 174842648 80bcc4662f23f1054ee334a15c72b8940402975e0eab63178fc7e670aa59472c
    nvidia_cusparselt_cu13-0.8.0-py3-none-manylinux2014_aarch64.whl
      220791277 0 273881681 400c6ed1cf6780fc6efedd64ec9f1345871767e6a1a0a552a1ea0578117ea77c
    nvidia_nccl_cu13-2.28.9-py3-none-manylinux_2_18_aarch64.whl
      196561677 0 219355704 01c873ba1626b54caa12272ed228dc5b2781545e0ae8ba3f432a8ef1c6d78643
    nvidia_nvjitlink-13.0.88-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl
      38768748 0 89258944 e931536ccc7d467a98ba1d8b89ff7fa7f1fa3b13f2b0069118cd7f47bff07d0c
    nvidia_nvshmem_cu13-3.4.5-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl
      60215947 0 45585904 6dc2a197f38e5d0376ad52cd1a2a3617d3cdc150fd5966f4aee9bcebb1d68fe9
  `,
  'darwin-arm64': `
    torch-2.11.0-cp312-cp312-macosx_11_0_arm64.whl
      80606338 257083972 257083972 4b5866312ee6e52ea625cd211dcb97d6a2cdc1131a5f15cc0d87eec948f6dd34
  `,
  'win32-x64': `
    torch-2.11.0-cp312-cp312-win_amd64.whl
      114556047 355013451 355013451 fbf39280699d1b869f55eac536deceaa1b60bd6788ba74f399cc67e60a5fab10
  `,
};

/** Wheels of a platform for a flavour; empty if there are none. The first one is torch. */
export function pinnedWheels(
  flavour: Flavour,
  platform = `${process.platform}-${process.arch}`,
): PinnedWheel[] {
  const words = (TABLE[platform] ?? '').split(/\s+/).filter(Boolean);
  const wheels: PinnedWheel[] = [];
  for (let i = 0; i + 4 < words.length; i += 5) {
    const [file = '', bytes, cpu, cuda, sha256 = ''] = words.slice(i, i + 5);
    const name = parseWheelName(file);
    if (name === undefined) continue;
    const unpacked = { cpu: Number(cpu), cuda: Number(cuda) };
    if (unpacked[flavour] > 0) wheels.push({ file, ...name, bytes: Number(bytes), unpacked, sha256 });
  }
  return wheels;
}

/** Platforms that have wheels. */
export const WHEEL_PLATFORMS: readonly string[] = Object.keys(TABLE);
