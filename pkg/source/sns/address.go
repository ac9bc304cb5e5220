package sns

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/source"
)

var (
	// regionPattern is words and a number. What is not a region would be another host below amazonaws.com, some of which
	// anybody can have: sns.s3-us-west-2.amazonaws.com is a bucket of S3.
	regionPattern      = regexp.MustCompile(`^[a-z]+(-[a-z]+)+-[0-9]+$`)
	certificatePattern = regexp.MustCompile(`^/SimpleNotificationService-[0-9a-zA-Z]+\.pem$`)
)

// regionOf returns the region of a topic's ARN, arn:PARTITION:sns:REGION:ACCOUNT:NAME.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func regionOf(arn string) (string, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "sns" || !regionPattern.MatchString(parts[3]) {
		return "", source.Unauthenticated("TopicArn is not that of a topic of SNS")
	}
	return parts[3], nil
}

// isServiceURL says whether an address is one of SNS in a region. China has a domain of its own.
// https://docs.aws.amazon.com/general/latest/gr/sns.html
func isServiceURL(address, region string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.User != nil {
		return false
	}
	host := "sns." + region + ".amazonaws.com"
	return u.Host == host || u.Host == host+".cn"
}

// isCertificateURL says whether an address is one of SNS' certificates:
// https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem
func isCertificateURL(address, region string) bool {
	u, err := url.Parse(address)
	return err == nil && isServiceURL(address, region) && certificatePattern.MatchString(u.EscapedPath()) && u.RawQuery == "" && u.Fragment == ""
}
