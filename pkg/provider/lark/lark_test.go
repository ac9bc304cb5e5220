package lark

import (
	"net/http"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(url string) provider.Config {
	return provider.Config{Address: url + "/open-apis/bot/v2/hook/x", Channel: "ignored", Username: "ignored", Token: "ignored"}
}

func TestMessage(t *testing.T) { providertest.CheckMessages(t, New, config) }

func TestRequest(t *testing.T) {
	r := providertest.Capture(t, New, config, providertest.Notification())[0]
	if r.Method != http.MethodPost || r.Path != "/open-apis/bot/v2/hook/x" || r.Header.Get("Authorization") != "" {
		t.Errorf("%s %s %v", r.Method, r.Path, r.Header)
	}
}

func TestLimits(t *testing.T) {
	providertest.CheckLimit(t, New, config, maxBody, func(body []byte) int { return len(body) })
}

func TestAnswers(t *testing.T) {
	throttled := &provider.Error{Kind: provider.Throttled, Reason: provider.ReasonRateLimited, RetryAfter: pause}
	providertest.CheckAnswers(t, New, config, []providertest.Answer{
		{Status: 200, Body: `{"code":0,"msg":"success","data":{}}`},
		{Status: 200, Body: `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`},
		{Status: 200, Body: `ok`},
		{Status: 200, Body: `{"code":19024,"data":{},"msg":"Key Words Not Found"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}, Says: "Lark responded with error 19024: Key Words Not Found"},
		{Status: 200, Body: `{"code":19001,"data":{},"msg":"param invalid: incoming webhook access token invalid"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonAuth}},
		{Status: 200, Body: `{"code":19022,"data":{},"msg":"Ip Not Allowed"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonAuth}},
		{Status: 200, Body: `{"code":11232,"msg":"frequency limited"}`, Want: throttled, Says: "frequency limited"},
		{Status: 400, Body: `{"code":11232,"msg":"frequency limited"}`, Want: throttled},
		{Status: 400, Body: `{"code":9499,"msg":"Bad Request"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}, Says: "9499"},
		{Status: 500, Body: `{"code":0}`, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonServerError}},
	})
}
