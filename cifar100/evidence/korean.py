"""The Korean words of `findings`: all of them, for README.ko.md and the pages."""

from cifar100.evidence.languages import Language

KOREAN = Language(
    code="ko",
    heads={
        "row": "단계",
        "step": "학생이 한 일",
        "claim": "주장",
        "student": "학생의 값",
        "verdict": "판정",
        "ours": "다시 해 본 결과 (val)",
        "difference": "차이 (조정된 95% 신뢰구간)",
        "anew": "배치 정규화 통계를 다시 추정하면",
        "p": "보정한 p",
        "seeds": "시드",
        "notebook": "노트북",
    },
    words={
        "held": "맞음",
        "reversed": "반대로 나옴",
        "no effect worth 1 pp": "1%p를 넘는 효과 없음",
        "not decidable": "판정 불가",
        "open": "아직 모름",
        "exploratory": "탐색적",
        "missing": "아직 기록 없음",
    },
    claims={
        "simple_cnn": "단순한 CNN의 정확도는 0.3x이다.",
        "lenet5": "원래 모습 그대로의 LeNet-5는 단순한 CNN에 못 미친다.",
        "alexnet_batch_norm": "배치 정규화를 넣으면 AlexNet이 좋아진다.",
        "alexnet_overlapping": (
            "특징 맵의 크기가 같을 때, 겹치는 풀링을 쓰면 AlexNet이 좋아진다."
        ),
        "baseline": "세 번째 블록을 쌓으면 좋아진다.",
        "baseline_deeper_smaller": "계산량이 같다면, 좁더라도 더 깊은 쪽이 낫다.",
        "dropout_before": "풀링 앞에 드롭아웃을 넣으면 좋아진다.",
        "twice_as_long": "학습률을 그대로 두고 에포크를 두 배로 늘리면 좋아진다.",
        "two_convolutions": "합성곱은 블록마다 한 번보다 두 번이 낫다.",
        "double_filters": "필터를 두 배로 늘리면 나빠진다.",
        "dropout_after": "드롭아웃은 풀링 앞보다 뒤에 두는 편이 낫다.",
        "dropout_before_matched": (
            "모든 값이 양수인 풀링 창이 0이 되는 비율을 같게 맞춰도, 드롭아웃을 풀링 "
            "앞에 두는 쪽이 더 나쁘다."
        ),
        "batch_norm_after": "배치 정규화는 활성화 함수 앞보다 뒤에 두는 편이 낫다.",
        "vgg16": "VGG-16이 직접 만든 신경망보다 낫다.",
        "vgg19": "VGG-19가 VGG-16보다 낫다.",
        "vgg16_less_block": "VGG-16은 마지막 블록을 빼는 편이 낫다.",
        "global_average": "완전 연결층보다 전역 평균 풀링이 낫다.",
        "adam_0005": "Adam의 학습률은 0.001보다 0.0005가 낫다.",
        "resnet20": "20층에서는 숏컷이 도움이 된다.",
        "resnet56": "56층에서는 숏컷이 도움이 된다.",
        "shortcut": "직접 만든 신경망도 블록마다 숏컷을 더하면 좋아진다.",
        "filters_from_8": (
            "계산량이 같다면, 필터를 8개에서 시작해 더 가파르게 늘리는 쪽이 낫다."
        ),
        "student_set": "학생이 쓴 증강(뒤집기, 회전, 이동, 확대)을 하면 좋아진다.",
        "flip_crop_wide": "뒤집기와 자르기를 하면, 더 넓은 신경망이 낫다.",
        "stored_1": (
            "학습 스텝 수가 같다면, 사본 하나를 저장해 쓰는 것은 "
            "매번 새로 증강하는 것만 못하다."
        ),
        "stored_3": (
            "학습 스텝 수가 같다면, 사본 셋을 저장해 쓰는 것도 "
            "매번 새로 증강하는 것만 못하다."
        ),
        "frozen_96": (
            "ImageNet에서 배운 특징만으로도 직접 만든 신경망 대부분을 앞선다."
        ),
        "finetuned_64": "64픽셀에서, 미세 조정이 고정한 특징보다 훨씬 낫다.",
        "from_scratch_64": (
            "64픽셀에서, 같은 신경망을 처음부터 학습하면 미세 조정보다 훨씬 나쁘다."
        ),
        "fast": "짧은 학습에 맞춘 신경망과 학습법으로 몇 분 만에 0.65에 이른다.",
        "fast_wide": "같은 방법으로 더 넓게, 더 오래 하면 한 시간 안에 0.75에 이른다.",
        "fast_gpu": "GPU에서는 원래의 학습법으로 몇 초 만에 0.75에 이른다.",
        "wide_and_long": (
            "직접 만든 신경망 하나가, 여러 번 본 예측을 평균하지 않고도 0.80에 이른다."
        ),
    },
    steps={
        "S1": "단순한 CNN",
        "S2": "LeNet-5",
        "S3": "AlexNet에서 가져온 것들: 조금 나아짐",
        "S4": "블록 하나 더",
        "S5": "더 깊게: 나아지지 않고 과적합",
        "S6": "드롭아웃",
        "S7": "200 에포크와 조기 종료",
        "S8": "블록마다 합성곱 두 번, 필터는 두 배",
        "S9": "드롭아웃을 풀링 앞에서 뒤로",
        "S10": "배치 정규화와 활성화 함수의 순서",
        "S11": "VGG16과 VGG19",
        "S12": "VGG에서 블록 하나 빼기",
        "S13": "완전 연결층 빼기, 필터와 드롭아웃 조절",
        "S14": "학습률 5e-4의 Adam",
        "S15": "ResNet",
        "S16": "직접 만든 신경망에 숏컷 더하기",
        "S17": "필터는 8개부터, 멘토의 규칙",
        "S18": "온라인 증강",
        "S19": "오프라인 증강 (OpenCV)",
        "S20": "ImageNet에서 전이 학습",
        "S21": "직접 만든 것 중 최고의 신경망",
    },
    networks={
        "simple_cnn": "단순한 CNN",
        "lenet5": "LeNet-5",
        "alexnet": "PC에서 돌릴 수 있게 좁힌 AlexNet",
        "baseline": "학생의 신경망, 블록 셋",
        "dropout_after": "학생의 신경망, 풀링 뒤에 드롭아웃",
        "global_average": "학생의 신경망, 드롭아웃을 넣고 완전 연결층을 뺀 것",
        "vgg16": "VGG-16, 폭은 4분의 1",
        "resnet20": "ResNet-20, 폭은 절반",
        "student_set": "학생의 신경망, 학생이 쓴 증강",
        "fast": "짧은 학습에 맞춘 신경망",
        "fast_wide": "짧은 학습에 맞춘 신경망, 더 넓게 더 오래",
        "fast_wide_long": "그 넓은 신경망을 세 배 더 오래 학습한 것",
        "fast_gpu": "짧은 학습에 맞춘 신경망, 원래 폭으로 GPU에서",
        "wide_and_long": "두 배의 폭으로 오래 학습한 신경망, GPU에서",
        "frozen_96": "ImageNet의 EfficientNet-Lite0, 가중치 고정, 96픽셀",
        "finetuned_96": "ImageNet의 EfficientNet-Lite0, 96픽셀에서 미세 조정",
        "finetuned_160": "ImageNet의 EfficientNet-Lite0, 160픽셀에서 미세 조정",
    },
    unit="%p",
    sign="%",
    span="{} ~ {}",
    part="{} / {}",
    tiny="0.0001 미만",
)
